import CanonicalJSON

/// What a tokenizer file consists of, for reading.
public struct TokenizerDescription: Sendable, Equatable {
    /// A name and what the file has there; components with their parameters left out, sequences as `A, B`.
    public let entries: [(name: String, value: JSON)]

    /// - Parameters:
    ///   - tokenizer: the tokenizer that was read from the file.
    ///   - file: the content of its tokenizer.json.
    ///   - configuration: the content of the tokenizer_config.json beside it, if there is one.
    public init(_ tokenizer: Tokenizer, file: JSON, configuration: TokenizerConfiguration?) {
        let special = tokenizer.addedTokens.filter(\.special)
        var entries: [(name: String, value: JSON)] = [
            ("model", .string(tokenizer.model.isByteLevel ? "byte-level BPE" : "BPE over characters")),
            ("vocabulary_size", .integer(Int64(tokenizer.vocabularySize))),
            ("merges", .integer(Int64(file["model"]?["merges"]?.array?.count ?? 0))),
            ("added_tokens", .integer(Int64(tokenizer.addedTokens.count))),
            ("special_tokens", .array(special.map { .string($0.content) })),
        ]
        for key in ["normalizer", "pre_tokenizer", "post_processor", "decoder"] {
            entries.append((key, TokenizerDescription.types(file[key]).map(JSON.string) ?? .null))
        }
        entries.append(("truncation", file["truncation"] ?? .null))
        entries.append(("padding", file["padding"] ?? .null))
        if let configuration {
            for (key, token) in [
                ("beginning_of_sequence", configuration.beginningOfSequence),
                ("end_of_sequence", configuration.endOfSequence), ("padding_token", configuration.padding),
                ("unknown_token", configuration.unknown),
            ] { entries.append((key, token.map(JSON.string) ?? .null)) }
            entries.append(("chat_template", .bool(configuration.chatTemplate != nil)))
            entries.append(
                ("maximum_length", configuration.maximumLength.map { .integer(Int64($0)) } ?? .null))
        }
        self.entries = entries
    }

    public static func == (a: TokenizerDescription, b: TokenizerDescription) -> Bool { a.json == b.json }

    public var json: JSON { .object(JSONObject(entries.map { ($0.name, $0.value) })) }

    /// The types of a component and its parts, in order; nil where the file has none.
    private static func types(_ component: JSON?) -> String? {
        guard let type = component?["type"]?.string else { return nil }
        let parts = ["normalizers", "pretokenizers", "processors", "decoders"].compactMap { component?[$0]?.array }
        return parts.first.map { $0.compactMap(types).joined(separator: ", ") } ?? type
    }
}
