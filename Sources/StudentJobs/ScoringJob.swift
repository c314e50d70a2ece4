import CanonicalJSON

/// Score completions with a checkpoint: the NLL of every completion token, and the losses made of them.
public struct ScoringJob: Sendable, Equatable {
    /// A Hugging Face checkpoint directory.
    public var checkpoint: String
    /// A PEFT adapter directory to apply to it.
    public var adapter: String?
    /// A JSON Lines file of ``ScoringExample``s.
    public var input: String
    /// The JSON Lines file of ``ScoredExample``s to write, in the order of the input.
    public var output: String
    /// Tokens that are computed side by side, at most; bounds memory.
    public var maxTokens: Int
    /// Appends the checkpoint's end token to completions that come as text, as training does.
    public var appendsEnd: Bool
    public var execution: ExecutionSettings

    public init(
        checkpoint: String, adapter: String? = nil, input: String, output: String, maxTokens: Int = 8192,
        appendsEnd: Bool = false, execution: ExecutionSettings = ExecutionSettings()
    ) {
        self.checkpoint = checkpoint
        self.adapter = adapter
        self.input = input
        self.output = output
        self.maxTokens = maxTokens
        self.appendsEnd = appendsEnd
        self.execution = execution
    }
}

/// A line to score: `{"prompt": …, "completion": …}` as texts, or `{"prompt_ids": […], "completion_ids": […]}`; with an
/// optional `id`, copied to the output, and optional `weights`, one for each completion token.
public struct ScoringExample: Sendable, Equatable {
    public var id: String?
    public var content: Content
    /// What each completion token counts in the weighted losses; nil: 1 each.
    public var weights: [Double]?

    public enum Content: Sendable, Equatable {
        case tokens(prompt: [Int32], completion: [Int32])
        /// Encoded with the checkpoint's tokenizer one after the other, without special tokens added.
        case text(prompt: String, completion: String)
    }

    public init(id: String? = nil, content: Content, weights: [Double]? = nil) {
        self.id = id
        self.content = content
        self.weights = weights
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.optionalString("id")
        switch (json["prompt_ids"] != nil || json["completion_ids"] != nil, json["prompt"] != nil) {
        case (true, false):
            content = .tokens(prompt: try json.tokens("prompt_ids"), completion: try json.tokens("completion_ids"))
        case (false, true):
            content = .text(prompt: try json.string("prompt"), completion: try json.string("completion"))
        default:
            throw JSONFieldError(
                field: "prompt",
                problem: "and \"completion\" should be there, or \"prompt_ids\" and \"completion_ids\", and not both")
        }
        guard let list = json["weights"], !list.isNull else { return }
        var weights: [Double] = []
        for element in try json.array("weights") {
            guard let weight = element.double, weight.isFinite else {
                throw JSONFieldError(field: "weights", problem: "should hold numbers only, found \(element.kind)")
            }
            weights.append(weight)
        }
        self.weights = weights
    }
}

/// A line of a scoring job's output. All losses are in nats.
public struct ScoredExample: Sendable, Equatable {
    public var id: String?
    /// The completion's ids, where it came as text.
    public var completion: [Int32]?
    /// −log p of each completion token, given the prompt and the tokens before it.
    public var nll: [Double]
    /// Whether each completion token was the most likely one.
    public var greedy: [Bool]
    public var weights: [Double]?

    public init(
        id: String? = nil, completion: [Int32]? = nil, nll: [Double], greedy: [Bool], weights: [Double]? = nil
    ) {
        self.id = id
        self.completion = completion
        self.nll = nll
        self.greedy = greedy
        self.weights = weights
    }

    /// Σ NLL.
    public var sum: Double { nll.reduce(0, +) }
    /// Σ NLL / tokens: the SFT loss of this example.
    public var mean: Double { sum / Double(nll.count) }
    /// Σ weight · NLL: one side's term of EDIT Eq. 6 and 7 in the normalisation `sum`.
    public var weightedSum: Double? { weights.map { zip($0, nll).reduce(0) { $0 + $1.0 * $1.1 } } }
    /// Σ weight · NLL / tokens, all completion tokens counted: the same in the normalisation `per-token`.
    public var weightedMean: Double? { weightedSum.map { $0 / Double(nll.count) } }

    /// `nll`, `tokens`, `sum`, `mean`, `greedy` (the share of tokens that were the most likely ones), and with weights
    /// `weighted_sum` and `weighted_mean`; `loss` is `weighted_mean` where there are weights, else `mean`.
    public var json: JSON {
        var object = JSONObject([
            ("nll", .array(nll.map { .number($0) })), ("tokens", .whole(nll.count)), ("sum", .number(sum)),
            ("mean", .number(mean)), ("loss", .number(weightedMean ?? mean)),
            ("greedy", .number(Double(greedy.count { $0 }) / Double(greedy.count))),
        ])
        object["id"] = id.map { .string($0) }
        object["completion_ids"] = completion.map { .tokens($0) }
        object["weighted_sum"] = weightedSum.map { .number($0) }
        object["weighted_mean"] = weightedMean.map { .number($0) }
        return .object(object)
    }
}

extension ScoringJob {
    public var json: JSON {
        [
            "checkpoint": .string(checkpoint), "adapter": .optional(adapter), "input": .string(input),
            "output": .string(output), "max_tokens": .whole(maxTokens), "appends_end": .bool(appendsEnd),
            "execution": execution.json,
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            checkpoint: try json.string("checkpoint"), adapter: try json.optionalString("adapter"),
            input: try json.string("input"), output: try json.string("output"),
            maxTokens: try json.integer("max_tokens"), appendsEnd: try json.bool("appends_end"),
            execution: try ExecutionSettings(json: json.object("execution")))
        try json.check("max_tokens", maxTokens >= 1, "must be at least 1")
    }
}
