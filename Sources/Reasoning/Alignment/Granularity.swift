/// What an edit script inserts, deletes and replaces.
public enum Granularity: String, Sendable, CaseIterable {
    case tokens
    /// Runs of letters and digits (with a point, comma or apostrophe between two of them), and runs of one symbol.
    case words
    /// Sentences and lines.
    case steps
}

/// How two rationales are compared.
public struct AlignmentMethod: Sendable, Hashable {
    public var mode: TokenAlignment.Mode
    public var granularity: Granularity
    /// Where an edit cuts a word in two, all tokens of the word become key tokens, and so do those they match on the
    /// other side. Only of a script, so not in mode `reference`.
    public var widensToWords: Bool

    public init(
        mode: TokenAlignment.Mode = .minimal, granularity: Granularity = .tokens, widensToWords: Bool = false
    ) {
        self.mode = mode
        self.granularity = granularity
        self.widensToWords = widensToWords
    }
}

/// A rationale with its tokens.
public struct TokenizedText: Sendable, Equatable {
    public var text: String
    public var ids: [Int32]
    /// For each token its UTF-8 byte span in the text; empty for a token without a place in it, such as an end of
    /// sequence.
    public var spans: [Range<Int>]

    /// - Precondition: one span a token, each inside the text.
    public init(text: String, ids: [Int32], spans: [Range<Int>]) {
        precondition(ids.count == spans.count, "one span a token")
        self.text = text
        self.ids = ids
        self.spans = spans
    }

    /// The bytes of a range of tokens; of an empty one, the place where the next token begins.
    public func bytes(of tokens: Range<Int>) -> Range<Int> {
        guard let last = tokens.last else {
            let place = tokens.lowerBound < spans.count ? spans[tokens.lowerBound].lowerBound : text.utf8.count
            return place..<place
        }
        // Several tokens may share one character's bytes.
        let lower = spans[tokens.lowerBound].lowerBound
        return lower..<max(lower, spans[last].upperBound)
    }
}
