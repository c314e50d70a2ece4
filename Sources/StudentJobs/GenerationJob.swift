import CanonicalJSON

/// Generate greedily from a checkpoint for a file of prompts.
public struct GenerationJob: Sendable, Equatable {
    /// A Hugging Face checkpoint directory.
    public var checkpoint: String
    /// A JSON Lines file of ``GenerationPrompt``s; ids are unique.
    public var prompts: String
    /// The JSON Lines file of ``Generation``s to write, in the order of the prompts.
    public var output: String
    /// Generation stops here if no end token came first.
    public var maxNewTokens: Int
    /// Sequences that are decoded side by side.
    public var batch: Int
    /// Ids that end a generation. Empty: the end token of the checkpoint's configuration.
    public var stopTokens: [Int]
    /// Whether to write ``Generation/text``, decoded with the checkpoint's tokenizer. Always so where a prompt came
    /// as text.
    public var decodesText: Bool
    public var execution: ExecutionSettings

    public init(
        checkpoint: String, prompts: String, output: String, maxNewTokens: Int, batch: Int = 64,
        stopTokens: [Int] = [], decodesText: Bool = false, execution: ExecutionSettings = ExecutionSettings()
    ) {
        self.checkpoint = checkpoint
        self.prompts = prompts
        self.output = output
        self.maxNewTokens = maxNewTokens
        self.batch = batch
        self.stopTokens = stopTokens
        self.decodesText = decodesText
        self.execution = execution
    }
}

/// A line of a prompts file: `{"id": …, "prompt_ids": […]}` or `{"id": …, "prompt": "…"}`.
public struct GenerationPrompt: Sendable, Equatable {
    public var id: String
    public var content: Content

    public enum Content: Sendable, Equatable {
        case tokens([Int32])
        /// Encoded with the checkpoint's tokenizer, without special tokens added.
        case text(String)
    }

    public init(id: String, content: Content) {
        self.id = id
        self.content = content
    }

    public var json: JSON {
        switch content {
        case .tokens(let tokens): ["id": .string(id), "prompt_ids": .tokens(tokens)]
        case .text(let text): ["id": .string(id), "prompt": .string(text)]
        }
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.string("id")
        switch (json["prompt_ids"], json["prompt"]) {
        case (_?, nil): content = .tokens(try json.tokens("prompt_ids"))
        case (nil, _?): content = .text(try json.string("prompt"))
        default: throw JSONFieldError(field: "prompt", problem: "or \"prompt_ids\" should be there, and only one")
        }
    }
}

/// A line of a generation job's output.
public struct Generation: Sendable, Equatable {
    /// The prompt's.
    public var id: String
    /// What was generated, without the end token.
    public var tokens: [Int32]
    /// ``tokens`` decoded, special tokens left out, where the job asks for it.
    public var text: String?
    public var finish: Finish

    public enum Finish: String, Sendable, CaseIterable {
        /// An end token came.
        case stop
        /// The limit on new tokens or the model's last position was reached.
        case length
    }

    public init(id: String, tokens: [Int32], text: String? = nil, finish: Finish) {
        self.id = id
        self.tokens = tokens
        self.text = text
        self.finish = finish
    }

    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("ids", .tokens(tokens)), ("finish_reason", .string(finish.rawValue)),
        ])
        object["text"] = text.map { .string($0) }
        return .object(object)
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            id: try json.string("id"), tokens: try json.tokens("ids"), text: try json.optionalString("text"),
            finish: try json.choice("finish_reason"))
    }
}

extension GenerationJob {
    public var json: JSON {
        [
            "checkpoint": .string(checkpoint), "prompts": .string(prompts), "output": .string(output),
            "max_new_tokens": .whole(maxNewTokens), "batch": .whole(batch),
            "stop_tokens": .array(stopTokens.map { .whole($0) }), "decodes_text": .bool(decodesText),
            "execution": execution.json,
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            checkpoint: try json.string("checkpoint"), prompts: try json.string("prompts"),
            output: try json.string("output"), maxNewTokens: try json.integer("max_new_tokens"),
            batch: try json.integer("batch"), stopTokens: try json.integers("stop_tokens"),
            decodesText: try json.bool("decodes_text"),
            execution: try ExecutionSettings(json: json.object("execution")))
        try json.check("max_new_tokens", maxNewTokens >= 1, "must be at least 1")
        try json.check("batch", batch >= 1, "must be at least 1")
    }
}
