import CanonicalJSON

/// A prompt and the completion to learn, as token ids; a record of the artifact type `tokens/1`.
public struct TokenRecord: Sendable, Equatable {
    public var id: String
    public var task: String?
    /// Masked out of the loss. Not empty.
    public var prompt: [Int32]
    /// What is learnt, end token included. Not empty.
    public var completion: [Int32]
    /// What the record counts in the loss, such as the share of one of several tasks; nil: 1.
    public var weight: Double?

    public init(id: String, task: String? = nil, prompt: [Int32], completion: [Int32], weight: Double? = nil) {
        self.id = id
        self.task = task
        self.prompt = prompt
        self.completion = completion
        self.weight = weight
    }

    /// The record for display.
    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("prompt_ids", .tokens(prompt)), ("completion_ids", .tokens(completion)),
        ])
        object["task"] = task.map { .string($0) }
        object["weight"] = weight.map { .number($0) }
        return .object(object)
    }
}

/// A prompt with a correct and a wrong completion and the key tokens of both; a record of the artifact type
/// `token-pairs/1`.
public struct TokenPairRecord: Sendable, Equatable {
    public var id: String
    public var task: String?
    /// Which set the pair comes from, such as `dual-positive` (EDIT: D⁺_dual) or `dual-negative` (D⁻_dual).
    public var origin: String
    public var prompt: [Int32]
    /// The correct completion, end token included.
    public var correct: [Int32]
    /// The wrong completion, end token included.
    public var wrong: [Int32]
    /// One for each token of ``correct``: 1 where the edit script inserts or replaces it (EDIT Eq. 5), else 0.
    public var correctKeys: [UInt8]
    /// One for each token of ``wrong``: 1 where the edit script deletes or replaces it, else 0.
    public var wrongKeys: [UInt8]

    public init(
        id: String, task: String? = nil, origin: String, prompt: [Int32], correct: [Int32], wrong: [Int32],
        correctKeys: [UInt8], wrongKeys: [UInt8]
    ) {
        self.id = id
        self.task = task
        self.origin = origin
        self.prompt = prompt
        self.correct = correct
        self.wrong = wrong
        self.correctKeys = correctKeys
        self.wrongKeys = wrongKeys
    }

    /// The record for display.
    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("origin", .string(origin)), ("prompt_ids", .tokens(prompt)),
            ("correct_ids", .tokens(correct)), ("wrong_ids", .tokens(wrong)),
            ("correct_keys", .array(correctKeys.map { .whole($0) })),
            ("wrong_keys", .array(wrongKeys.map { .whole($0) })),
        ])
        object["task"] = task.map { .string($0) }
        return .object(object)
    }
}
