extension Alignment {
    /// The record of an aligned pair: segments as byte spans of the texts.
    ///
    /// A segment without tokens on one side has an empty span there, where the next token begins.
    ///
    /// - Parameters:
    ///   - pair: the pair whose rationales were aligned.
    ///   - alignment: the alignment of their tokens.
    ///   - correctSpans: for each token of the right rationale, its UTF-8 byte span. A token without a place in the
    ///     text, such as an end of sequence, has an empty span at the end.
    ///   - wrongSpans: the same for the wrong rationale.
    /// - Precondition: one span a token, each inside its text.
    public init(
        pair: DualPair, alignment: TokenAlignment, correctSpans: [Range<Int>], wrongSpans: [Range<Int>]
    ) {
        precondition(
            correctSpans.count == alignment.correctMask.count && wrongSpans.count == alignment.wrongMask.count,
            "one span a token")
        self.init(
            id: pair.id, task: pair.task, origin: pair.origin, correctCoT: pair.correctCoT, wrongCoT: pair.wrongCoT,
            distance: alignment.distance, correctTokens: alignment.correctMask.count,
            wrongTokens: alignment.wrongMask.count, keyShare: alignment.keyShare,
            segments: alignment.segments.map { segment in
                Segment(
                    operation: segment.operation,
                    correct: Alignment.bytes(of: segment.correct, spans: correctSpans, end: pair.correctCoT.utf8.count),
                    wrong: Alignment.bytes(of: segment.wrong, spans: wrongSpans, end: pair.wrongCoT.utf8.count))
            })
    }

    private static func bytes(of tokens: Range<Int>, spans: [Range<Int>], end: Int) -> Range<Int> {
        guard let last = tokens.last else {
            let place = tokens.lowerBound < spans.count ? spans[tokens.lowerBound].lowerBound : end
            return place..<place
        }
        // Several tokens may share one character's bytes.
        let lower = spans[tokens.lowerBound].lowerBound
        return lower..<max(lower, spans[last].upperBound)
    }
}
