extension TokenAlignment {
    /// Aligns two texts as a method says. Masks and segments are in tokens, whatever the granularity.
    ///
    /// - Precondition: the method does not widen in mode `reference`.
    /// - Complexity: that of ``init(correct:wrong:mode:)`` for the units, and O(text) for finding them.
    public init(correct: TokenizedText, wrong: TokenizedText, method: AlignmentMethod = AlignmentMethod()) {
        precondition(
            method.mode == .minimal || !method.widensToWords, "mode reference has two scripts and cannot be widened")
        if method.granularity == .tokens {
            self.init(correct: correct.ids, wrong: wrong.ids, mode: method.mode)
        } else {
            let (a, b) = (TokenUnits(correct, method.granularity), TokenUnits(wrong, method.granularity))
            let numbers = TokenUnits.numbers(a, b)
            self.init(TokenAlignment(correct: numbers.a, wrong: numbers.b, mode: method.mode), of: a, and: b)
        }
        if method.widensToWords {
            let widened = WordWidening(correct: TokenUnits(correct, .words), wrong: TokenUnits(wrong, .words))
            self.init(
                distance: distance, segments: widened.widen(segments), correctTokens: correctMask.count,
                wrongTokens: wrongMask.count)
        }
    }

    /// The alignment of two sequences of groups, in the groups' tokens.
    private init(_ groups: TokenAlignment, of correct: TokenUnits, and wrong: TokenUnits) {
        func mask(_ mask: [Bool], _ units: TokenUnits) -> [Bool] {
            mask.enumerated().flatMap { [Bool](repeating: $1, count: units[$0].count) }
        }
        self.init(
            distance: groups.distance, correctMask: mask(groups.correctMask, correct),
            wrongMask: mask(groups.wrongMask, wrong),
            segments: groups.segments.map {
                Segment(correct: correct.tokens(of: $0.correct), wrong: wrong.tokens(of: $0.wrong))
            })
    }
}

/// Widens the segments of a script until none cuts a word in two.
struct WordWidening {
    private let correct: [Bool]
    private let wrong: [Bool]

    init(correct: TokenUnits, wrong: TokenUnits) {
        self.correct = correct.boundaries
        self.wrong = wrong.boundaries
    }

    /// Each end of a segment moves outwards over matches, on both sides at once, until both sides are between words;
    /// segments that meet become one. O(tokens).
    func widen(_ segments: [TokenAlignment.Segment]) -> [TokenAlignment.Segment] {
        var widened: [TokenAlignment.Segment] = []
        var index = 0
        while index < segments.count {
            var (start, end) = (
                Place(segments[index].correct.lowerBound, segments[index].wrong.lowerBound),
                Place(segments[index].correct.upperBound, segments[index].wrong.upperBound)
            )
            while true {
                if let last = widened.last, last.correct.upperBound == start.correct {
                    start = Place(last.correct.lowerBound, last.wrong.lowerBound)
                    widened.removeLast()
                } else if cutsWord(start) {
                    start = Place(start.correct - 1, start.wrong - 1)
                } else {
                    break
                }
            }
            while true {
                if index + 1 < segments.count, segments[index + 1].correct.lowerBound == end.correct {
                    index += 1
                    end = Place(segments[index].correct.upperBound, segments[index].wrong.upperBound)
                } else if cutsWord(end) {
                    end = Place(end.correct + 1, end.wrong + 1)
                } else {
                    break
                }
            }
            widened.append(.init(correct: start.correct..<end.correct, wrong: start.wrong..<end.wrong))
            index += 1
        }
        return widened
    }

    /// A place between tokens, on both sides.
    private struct Place {
        let correct: Int
        let wrong: Int

        init(_ correct: Int, _ wrong: Int) { (self.correct, self.wrong) = (correct, wrong) }
    }

    private func cutsWord(_ place: Place) -> Bool { !correct[place.correct] || !wrong[place.wrong] }
}
