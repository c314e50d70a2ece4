import Reasoning

/// Where a right and a wrong chain of thought of a family differ in what they say: known, because the same solver wrote
/// both, value by value.
public struct PairTruth: Sendable, Equatable {
    /// UTF-8 byte spans of the two texts, in order.
    public struct Spans: Sendable, Equatable {
        public var correct: [Range<Int>]
        public var wrong: [Range<Int>]
    }

    /// The value that was mistaken, and the right one in its place.
    public let mistake: Spans
    /// Every value that reads differently: the mistake, what follows from it, and the answer.
    public let values: Spans

    init(right: Derivation, wrong: Derivation, slip: Slip) {
        mistake = Spans(correct: [right.values[slip.place]], wrong: [wrong.values[slip.place]])
        let (a, b) = (Array(right.text.utf8), Array(wrong.text.utf8))
        var differing = Spans(correct: [], wrong: [])
        // The answers stand at the ends; where a mistake adds or saves decisions, those without counterpart differ.
        let decided = (right.values.dropLast(), wrong.values.dropLast())
        for place in 0..<max(decided.0.count, decided.1.count) {
            let spans = (
                place < decided.0.count ? right.values[place] : nil, place < decided.1.count ? wrong.values[place] : nil
            )
            if let first = spans.0, let second = spans.1, a[first] == b[second] { continue }
            if let span = spans.0, !span.isEmpty { differing.correct.append(span) }
            if let span = spans.1, !span.isEmpty { differing.wrong.append(span) }
        }
        differing.correct.append(right.values[right.values.count - 1])
        differing.wrong.append(wrong.values[wrong.values.count - 1])
        values = differing
    }
}

extension TaskFamily {
    /// Works out how a pair came about, by writing the right chain of thought in the wordings that the teachers use and
    /// then making each mistake that it offers. O(mistakes that are possible) solutions.
    func truth(of problem: Problem, question: String, correct: String, wrong: String) -> PairTruth? {
        for variant in 0..<PairTruth.wordings {
            let wording = Wording(question: question, variant: variant)
            guard let right = derive(problem, wording: wording), right.text.utf8.elementsEqual(correct.utf8) else {
                continue
            }
            for slip in right.opportunities {
                guard let mistaken = derive(problem, wording: wording, slip: slip),
                    mistaken.text.utf8.elementsEqual(wrong.utf8)
                else { continue }
                return PairTruth(right: right, wrong: mistaken, slip: slip)
            }
        }
        return nil
    }
}

extension PairTruth {
    /// Variants of the wording that are tried; a teacher's sample n has variant n.
    static let wordings = 8
}
