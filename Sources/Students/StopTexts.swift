import Tokenization

/// Texts that end a generation wherever they appear in what the tokens say.
struct StopTexts {
    private let texts: [[UInt8]]
    private let longest: Int
    private let tokenizer: Tokenizer

    /// Nil where there are no texts.
    init?(_ texts: [String], tokenizer: @autoclosure () throws -> Tokenizer) rethrows {
        guard !texts.isEmpty else { return nil }
        self.texts = texts.map { Array($0.utf8) }
        longest = self.texts.map(\.count).max()!
        self.tokenizer = try tokenizer()
    }

    /// Whether one of the texts ends in or before the last token, given that none did before it.
    ///
    /// - Complexity: decodes only as many of the last tokens as may hold the longest text.
    func end(_ tokens: [Int32]) -> Bool {
        var count = min(tokens.count, longest + 8)
        while true {
            let tail = Array(tokenizer.decode(tokens.suffix(count), skipsSpecialTokens: true).utf8)
            if tail.count >= longest + 16 || count == tokens.count { return first(in: tail) != nil }
            count = min(tokens.count, count * 2)
        }
    }

    /// `text` up to the first of the texts.
    func cut(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard let place = first(in: bytes) else { return text }
        return String(decoding: bytes[..<place], as: UTF8.self)
    }

    private func first(in bytes: [UInt8]) -> Int? {
        texts.compactMap { text -> Int? in
            guard bytes.count >= text.count else { return nil }
            return (0...bytes.count - text.count).first { bytes[$0...].starts(with: text) }
        }.min()
    }
}
