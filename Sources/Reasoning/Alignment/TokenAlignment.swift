/// Where two token sequences differ: one edit script, as runs of edits and as masks of key tokens (EDIT Eq. 5).
///
/// A token of the right rationale is a key token when the script inserts or replaces it, a token of the wrong one when
/// the script deletes or replaces it.
public struct TokenAlignment: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        /// The script of least distance; among those one with the fewest runs of edits; among those the one that keeps
        /// the common prefix, then the common suffix, and then, from the start, prefers to match, to replace, to drop
        /// a token of the shorter side, to drop a token of the longer side. (Of two sides of one length the one with
        /// the smaller identifiers counts as the shorter.) It depends on the pair alone, and exchanging the sides
        /// exchanges the masks and nothing else.
        case minimal
        /// The masks of the published EDIT code on sequences without padding: each side's mask comes from a walk of
        /// its own that prefers to drop that side's tokens, so the two need not describe one script.
        case reference
    }

    /// A longest run of edits between two matches, in token indices.
    public struct Segment: Sendable, Hashable {
        public var correct: Range<Int>
        public var wrong: Range<Int>

        public init(correct: Range<Int>, wrong: Range<Int>) {
            self.correct = correct
            self.wrong = wrong
        }

        public var operation: Alignment.Operation {
            wrong.isEmpty ? .insert : correct.isEmpty ? .delete : .replace
        }
    }

    /// The Levenshtein distance: inserted, deleted and replaced tokens (or words, or steps) at unit cost.
    public let distance: Int
    /// One element a token of the right rationale, true for key tokens.
    public let correctMask: [Bool]
    /// One element a token of the wrong rationale, true for key tokens.
    public let wrongMask: [Bool]
    /// The runs of edits in order, in tokens. In mode `reference` they are those of the right side's walk.
    public let segments: [Segment]

    /// Aligns two sequences of token identifiers.
    ///
    /// Exact in both modes. Time O(nm / 64) for the distances, and for the fewest runs a small constant for each pair
    /// of positions that lies on some script of least distance; common prefix and suffix cost nothing. Memory
    /// O(n + m) plus at most about 64 MiB, and for sequences of 100 000 tokens without likeness about 250 MiB.
    public init(correct: [Int32], wrong: [Int32], mode: Mode = .minimal) {
        switch mode {
        case .minimal:
            let script = MinimalScript(correct: correct, wrong: wrong)
            self.init(
                distance: script.distance, segments: script.segments, correctTokens: correct.count,
                wrongTokens: wrong.count)
        case .reference:
            let walk = ReferenceWalk(correct: correct, wrong: wrong)
            self.init(
                distance: walk.distance, correctMask: walk.correctMask, wrongMask: walk.wrongMask,
                segments: walk.segments)
        }
    }

    init(distance: Int, correctMask: [Bool], wrongMask: [Bool], segments: [Segment]) {
        self.distance = distance
        self.correctMask = correctMask
        self.wrongMask = wrongMask
        self.segments = segments
    }

    /// An alignment whose masks are those of its segments.
    init(distance: Int, segments: [Segment], correctTokens: Int, wrongTokens: Int) {
        self.init(
            distance: distance, correctMask: TokenAlignment.mask(correctTokens, segments.map(\.correct)),
            wrongMask: TokenAlignment.mask(wrongTokens, segments.map(\.wrong)), segments: segments)
    }

    /// Key tokens of both sides as a share of all tokens of both sides; 0 when there are none.
    public var keyShare: Double {
        let total = correctMask.count + wrongMask.count
        guard total > 0 else { return 0 }
        return Double(correctMask.count { $0 } + wrongMask.count { $0 }) / Double(total)
    }

    static func mask(_ count: Int, _ runs: [Range<Int>]) -> [Bool] {
        var mask = [Bool](repeating: false, count: count)
        for run in runs {
            for index in run { mask[index] = true }
        }
        return mask
    }
}
