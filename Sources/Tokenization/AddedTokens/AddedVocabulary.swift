import CanonicalJSON

/// The added tokens of a tokenizer and where they stand in a text.
struct AddedVocabulary: Sendable {
    /// A token, or text between tokens.
    enum Piece {
        case token(Int32, Range<Int>)
        case text(Range<Int>)
    }

    /// Bytes of a token's content: what bounds the time to look for it at each place of a text.
    private static let longest = 1024

    let tokens: [AddedToken]
    private let byID: [Int32: AddedToken]
    /// What tokens decode to: their contents, normalised where they are looked for in normalised text.
    private let contents: [Int32: [UInt8]]
    /// Indices into `tokens`.
    private var plain = TokenTrie()
    private var normalized = TokenTrie()

    /// - Throws: ``TokenizerError`` when an entry is malformed, or has another identifier than its content gets.
    init(_ file: JSONObject, vocabulary: Vocabulary, normalizers: [any Normalizer]) throws(TokenizerError) {
        let values = file["added_tokens"]?.array ?? []
        var tokens: [AddedToken] = []
        var byID: [Int32: AddedToken] = [:]
        var contents: [Int32: [UInt8]] = [:]
        var byContent: [[UInt8]: Int32] = [:]
        var highest: Int?
        for (index, value) in values.enumerated() {
            let path = "added_tokens[\(index)]"
            let token = try AddedToken(value, at: path)
            guard !token.content.utf8.isEmpty else { continue }
            let content = Array(token.content.utf8)
            guard content.count <= AddedVocabulary.longest else {
                throw TokenizerError(
                    path: path,
                    problem: "the token has \(content.count) bytes; at most \(AddedVocabulary.longest) are supported")
            }
            let inModel = vocabulary.id(of: content)
            // A token the model lacks is numbered after the model's and the ones before it.
            let next = highest.map { max($0 + 1, vocabulary.count) } ?? vocabulary.count
            let expected = byContent[content] ?? (inModel >= 0 ? inModel : Int32(next))
            guard token.id == expected else {
                throw TokenizerError(
                    path: path,
                    problem:
                        "\(token.content.debugDescription) has the identifier \(token.id) but would get \(expected)")
            }
            highest = max(highest ?? 0, Int(token.id))
            byContent[content] = token.id
            byID[token.id] = token
            contents[token.id] = content
            if token.normalized {
                let text = content.withUnsafeBufferPointer { bytes in
                    var text = MappedText(bytes, base: 0)
                    for normalizer in normalizers { normalizer.normalize(&text) }
                    return text.bytes
                }
                contents[token.id] = text
                normalized.insert(text, value: Int32(tokens.count))
            } else {
                plain.insert(content, value: Int32(tokens.count))
            }
            tokens.append(token)
        }
        (self.tokens, self.byID, self.contents) = (tokens, byID, contents)
    }

    var hasNormalizedTokens: Bool { !normalized.isEmpty }

    func token(_ id: Int32) -> AddedToken? { byID[id] }

    /// The bytes a token decodes to.
    func content(_ id: Int32) -> [UInt8]? { contents[id] }

    /// Calls `body` with the tokens of a text and the text between them.
    ///
    /// - Parameter normalized: the text is normalised, and so are the tokens to find.
    func forEachPiece(of bytes: UnsafeBufferPointer<UInt8>, normalized: Bool, _ body: (Piece) -> Void) {
        let trie = normalized ? self.normalized : plain
        guard !trie.isEmpty else {
            if !bytes.isEmpty { body(.text(0..<bytes.count)) }
            return
        }
        var textStart = 0
        var searchStart = 0
        var spaces = WhiteSpace(bytes)
        while let match = trie.firstMatch(in: bytes, from: searchStart) {
            searchStart = match.range.upperBound
            let token = tokens[Int(match.value)]
            if token.singleWord, WordCharacters.touch(match.range, in: bytes) { continue }
            var (start, end) = (match.range.lowerBound, match.range.upperBound)
            if token.stripsLeft { start = max(spaces.start(before: start), textStart) }
            if token.stripsRight { end = spaces.end(after: end) }
            // A token found in the white space that another one took.
            start = min(start, end)
            if textStart < start { body(.text(textStart..<start)) }
            body(.token(token.id, start..<end))
            textStart = end
        }
        if textStart < bytes.count { body(.text(textStart..<bytes.count)) }
    }
}
