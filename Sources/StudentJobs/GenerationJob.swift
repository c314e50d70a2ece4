import CanonicalJSON

/// Generate from a checkpoint for a file of prompts.
public struct GenerationJob: Sendable, Equatable {
    /// A Hugging Face checkpoint directory.
    public var checkpoint: String
    /// An adapter in PEFT's format to put on it.
    public var adapter: String?
    /// A JSON Lines file of ``GenerationPrompt``s; ids are unique.
    public var prompts: String
    /// The JSON Lines file of ``Generation``s to write, in the order of the prompts and of their samples.
    public var output: String
    /// Generation stops here if no end token came first.
    public var maxNewTokens: Int
    /// Sequences that are decoded side by side.
    public var batch: Int
    /// Ids that end a generation. Empty: the end token of the checkpoint's configuration.
    public var stopTokens: [Int]
    /// Texts that end a generation; ``Generation/text`` ends before the first of them. Need the checkpoint's tokenizer.
    public var stopTexts: [String]
    public var sampling: SamplingSettings
    /// Generations of each prompt; its beginning is computed once.
    public var samples: Int
    /// Seeds the draws of prompts without a seed of their own. What a prompt gives depends on the seed and its id (or
    /// its own seed alone), not on the other prompts.
    public var seed: UInt64
    /// Whether to write ``Generation/text``, decoded with the checkpoint's tokenizer. Always so where a prompt came
    /// as text.
    public var decodesText: Bool
    public var execution: ExecutionSettings

    public init(
        checkpoint: String, adapter: String? = nil, prompts: String, output: String, maxNewTokens: Int,
        batch: Int = 64, stopTokens: [Int] = [], stopTexts: [String] = [], sampling: SamplingSettings = .greedy,
        samples: Int = 1, seed: UInt64 = 0, decodesText: Bool = false,
        execution: ExecutionSettings = ExecutionSettings()
    ) {
        self.checkpoint = checkpoint
        self.adapter = adapter
        self.prompts = prompts
        self.output = output
        self.maxNewTokens = maxNewTokens
        self.batch = batch
        self.stopTokens = stopTokens
        self.stopTexts = stopTexts
        self.sampling = sampling
        self.samples = samples
        self.seed = seed
        self.decodesText = decodesText
        self.execution = execution
    }
}

/// A line of a prompts file: `{"id": …, "prompt_ids": […]}` `{"id": …, "prompt": "…"}` or
/// `{"id": …, "messages": [{"role": …, "content": …}]}`, and optionally a `seed`.
public struct GenerationPrompt: Sendable, Equatable {
    public var id: String
    public var content: Content
    /// Of this prompt's draws; nil for one made of the job's seed and the id.
    public var seed: UInt64?

    public enum Content: Sendable, Equatable {
        case tokens([Int32])
        /// Encoded with the checkpoint's tokenizer, without special tokens added.
        case text(String)
        /// Written out by the checkpoint's chat template, up to where the assistant's turn begins.
        case chat([ChatTurn])
    }

    public init(id: String, content: Content, seed: UInt64? = nil) {
        self.id = id
        self.content = content
        self.seed = seed
    }

    public var json: JSON {
        var object = JSONObject([("id", .string(id))])
        switch content {
        case .tokens(let tokens): object["prompt_ids"] = .tokens(tokens)
        case .text(let text): object["prompt"] = .string(text)
        case .chat(let turns): object["messages"] = .array(turns.map(\.json))
        }
        object["seed"] = seed.map { .seed($0) }
        return .object(object)
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.string("id")
        switch (json["prompt_ids"], json["prompt"], json["messages"]) {
        case (_?, nil, nil): content = .tokens(try json.tokens("prompt_ids"))
        case (nil, _?, nil): content = .text(try json.string("prompt"))
        case (nil, nil, _?):
            var turns: [ChatTurn] = []
            for element in try json.array("messages") {
                guard let turn = element.object else {
                    throw JSONFieldError(field: "messages", problem: "should hold objects, found \(element.kind)")
                }
                turns.append(ChatTurn(role: try turn.string("role"), content: try turn.string("content")))
            }
            guard !turns.isEmpty else { throw JSONFieldError(field: "messages", problem: "is empty") }
            content = .chat(turns)
        default:
            throw JSONFieldError(
                field: "prompt", problem: "or \"prompt_ids\" or \"messages\" should be there, and only one")
        }
        seed = json["seed"] == nil ? nil : try json.seed("seed")
    }
}

/// A turn of a conversation.
public struct ChatTurn: Sendable, Equatable {
    /// `system`, `user` or `assistant`.
    public var role: String
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }

    var json: JSON { ["role": .string(role), "content": .string(content)] }
}

/// A line of a generation job's output.
public struct Generation: Sendable, Equatable {
    /// The prompt's.
    public var id: String
    /// Which of the prompt's samples, counted from 0; nil where the job makes one of each.
    public var sample: Int?
    /// The number of the prompt's ids, special tokens and chat template included.
    public var promptTokens: Int
    /// What was generated, without the end token. A stop text is part of it.
    public var tokens: [Int32]
    /// ``tokens`` decoded, special tokens left out, where the job asks for it.
    public var text: String?
    public var finish: Finish

    public enum Finish: String, Sendable, CaseIterable {
        /// An end token or a stop text came.
        case stop
        /// The limit on new tokens or the model's last position was reached.
        case length
    }

    public init(
        id: String, sample: Int? = nil, promptTokens: Int, tokens: [Int32], text: String? = nil, finish: Finish
    ) {
        self.id = id
        self.sample = sample
        self.promptTokens = promptTokens
        self.tokens = tokens
        self.text = text
        self.finish = finish
    }

    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("ids", .tokens(tokens)), ("finish_reason", .string(finish.rawValue)),
            ("prompt_tokens", .whole(promptTokens)),
        ])
        object["text"] = text.map { .string($0) }
        object["sample"] = sample.map { .whole($0) }
        return .object(object)
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            id: try json.string("id"), sample: try json.optionalInteger("sample"),
            promptTokens: try json.integer("prompt_tokens"), tokens: try json.tokens("ids"),
            text: try json.optionalString("text"), finish: try json.choice("finish_reason"))
    }
}

extension GenerationJob {
    public var json: JSON {
        [
            "checkpoint": .string(checkpoint), "adapter": .optional(adapter), "prompts": .string(prompts),
            "output": .string(output),
            "max_new_tokens": .whole(maxNewTokens), "batch": .whole(batch),
            "stop_tokens": .array(stopTokens.map { .whole($0) }),
            "stop_texts": .array(stopTexts.map { .string($0) }), "sampling": sampling.json,
            "samples": .whole(samples), "seed": .seed(seed), "decodes_text": .bool(decodesText),
            "execution": execution.json,
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            checkpoint: try json.string("checkpoint"), adapter: try json.optionalString("adapter"),
            prompts: try json.string("prompts"), output: try json.string("output"),
            maxNewTokens: try json.integer("max_new_tokens"), batch: try json.integer("batch"),
            stopTokens: try json.integers("stop_tokens"),
            stopTexts: json["stop_texts"] == nil ? [] : try json.strings("stop_texts"),
            sampling: try json.optional("sampling", SamplingSettings.init(json:)) ?? .greedy,
            samples: try json.optionalInteger("samples") ?? 1,
            seed: json["seed"] == nil ? 0 : try json.seed("seed"), decodesText: try json.bool("decodes_text"),
            execution: try ExecutionSettings(json: json.object("execution")))
        try json.check("max_new_tokens", maxNewTokens >= 1, "must be at least 1")
        try json.check("batch", batch >= 1, "must be at least 1")
        try json.check("samples", samples >= 1, "must be at least 1")
        try json.check("stop_texts", !stopTexts.contains(""), "must not hold an empty text")
    }
}
