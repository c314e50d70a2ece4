import CanonicalJSON

/// What tokenizer_config.json says beside the tokenizer: which tokens play which part, and the chat template.
public struct TokenizerConfiguration: Sendable, Equatable {
    public var beginningOfSequence: String?
    public var endOfSequence: String?
    public var padding: String?
    public var unknown: String?
    /// The default chat template, in Jinja.
    public var chatTemplate: String?
    /// The model's longest input in tokens; nil when the file names none or a placeholder beyond 2³¹.
    public var maximumLength: Int?

    public init(
        beginningOfSequence: String? = nil, endOfSequence: String? = nil, padding: String? = nil,
        unknown: String? = nil, chatTemplate: String? = nil, maximumLength: Int? = nil
    ) {
        self.beginningOfSequence = beginningOfSequence
        self.endOfSequence = endOfSequence
        self.padding = padding
        self.unknown = unknown
        self.chatTemplate = chatTemplate
        self.maximumLength = maximumLength
    }

    /// Reads a tokenizer_config.json. Tokens may be written as strings or as objects with a content; of several named
    /// chat templates the one called `default` counts.
    ///
    /// - Throws: ``TokenizerError`` when a member is of the wrong kind.
    public init(_ json: JSON) throws(TokenizerError) {
        guard let object = json.object else {
            throw TokenizerError(
                file: "tokenizer_config.json", path: "", problem: "should be an object, found \(json.kind)")
        }
        func token(_ key: String) throws(TokenizerError) -> String? {
            guard let value = object[key], !value.isNull else { return nil }
            if let text = value.string ?? value["content"]?.string { return text }
            throw TokenizerError(
                file: "tokenizer_config.json", path: key, problem: "should be a token, found \(value.kind)")
        }
        beginningOfSequence = try token("bos_token")
        endOfSequence = try token("eos_token")
        padding = try token("pad_token")
        unknown = try token("unk_token")
        maximumLength = object["model_max_length"]?.integer.flatMap { $0 <= 1 << 31 ? $0 : nil }
        let templates = object["chat_template"]
        chatTemplate =
            templates?.string
            ?? templates?.array?.first { $0["name"]?.string == "default" }?["template"]?.string
    }

    /// The content of a tokenizer_config.json that Hugging Face's libraries read.
    public var json: JSON {
        var object = JSONObject([
            ("tokenizer_class", "PreTrainedTokenizerFast"), ("clean_up_tokenization_spaces", false),
            ("bos_token", beginningOfSequence.map(JSON.string) ?? .null),
            ("eos_token", endOfSequence.map(JSON.string) ?? .null), ("pad_token", padding.map(JSON.string) ?? .null),
            ("unk_token", unknown.map(JSON.string) ?? .null),
        ])
        object["chat_template"] = chatTemplate.map(JSON.string)
        object["model_max_length"] = maximumLength.map { .integer(Int64($0)) }
        return .object(object)
    }
}
