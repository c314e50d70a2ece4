extension Alignment {
    /// The record of an aligned pair: segments as byte spans of the texts.
    ///
    /// A segment without tokens on one side has an empty span there, where the next token begins.
    ///
    /// - Parameters:
    ///   - pair: the pair whose rationales were aligned.
    ///   - alignment: the alignment of their tokens.
    ///   - correct: the right rationale with its tokens.
    ///   - wrong: the wrong one.
    /// - Precondition: the alignment is that of these tokens.
    public init(pair: DualPair, alignment: TokenAlignment, correct: TokenizedText, wrong: TokenizedText) {
        precondition(
            correct.ids.count == alignment.correctMask.count && wrong.ids.count == alignment.wrongMask.count,
            "the alignment of other tokens")
        self.init(
            id: pair.id, task: pair.task, origin: pair.origin, correctCoT: pair.correctCoT, wrongCoT: pair.wrongCoT,
            distance: alignment.distance, correctTokens: alignment.correctMask.count,
            wrongTokens: alignment.wrongMask.count, keyShare: alignment.keyShare,
            segments: alignment.segments.map { segment in
                Segment(
                    operation: segment.operation,
                    correct: correct.bytes(of: segment.correct),
                    wrong: wrong.bytes(of: segment.wrong))
            })
    }
}
