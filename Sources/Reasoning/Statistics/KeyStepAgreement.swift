/// Where a pair's reasoning is known to differ, as UTF-8 byte spans of its texts.
public struct KeyStepTruth: Sendable, Equatable {
    /// In the right rationale; nil when nothing is known of that side, which is then left out of all counts.
    public var correct: [Range<Int>]?
    public var wrong: [Range<Int>]

    public init(correct: [Range<Int>]? = nil, wrong: [Range<Int>]) {
        self.correct = correct
        self.wrong = wrong
    }
}

/// How well the key tokens of alignments agree with what is known of the pairs.
///
/// A token is true when its bytes overlap a known span. Counts are over the tokens of all pairs, so that long pairs
/// weigh more.
public struct KeyStepAgreement: Sendable, Equatable {
    /// Where the first difference lies, seen from the first known span of the wrong side.
    public enum Place: Sendable, CaseIterable {
        case before, within, after
    }

    public private(set) var pairs = 0
    public private(set) var tokens = 0
    public private(set) var keyTokens = 0
    public private(set) var trueTokens = 0
    /// Key tokens that are true.
    public private(set) var hits = 0
    /// Pairs with a hit.
    public private(set) var pairsFound = 0
    private var places: [Place: Int] = [:]
    /// Steps from the known one to that of the first difference, a pair; negative when it comes before.
    private var stepOffsets: [Int] = []

    public init() {}

    /// Adds a pair. One without a difference counts as not found, and has no first difference.
    ///
    /// - Parameters:
    ///   - alignment: of the tokens of `correct` and `wrong`.
    ///   - truth: what is known; a pair without any known span is left out.
    /// - Complexity: O(texts + tokens × log spans), with spans that do not overlap each other.
    public mutating func add(
        _ alignment: TokenAlignment, correct: TokenizedText, wrong: TokenizedText, truth: KeyStepTruth
    ) {
        let known = truth.wrong.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
        guard let first = known.first else { return }
        let hitsBefore = hits
        count(wrong, mask: alignment.wrongMask, known)
        if let spans = truth.correct {
            count(
                correct, mask: alignment.correctMask,
                spans.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound })
        }
        pairs += 1
        if hits > hitsBefore { pairsFound += 1 }
        guard let segment = alignment.segments.first else { return }
        let index = segment.wrong.lowerBound
        let difference = wrong.bytes(of: segment.wrong.isEmpty ? index..<index : index..<index + 1)
        places[KeyStepAgreement.place(of: difference, from: first), default: 0] += 1
        // Of the difference's last byte, because its token may begin with the white space before its step.
        let units = TextUnits.steps(of: wrong.text)
        let byte = max(difference.lowerBound, difference.upperBound - 1)
        stepOffsets.append(units.unit(ofByte: byte) - units.unit(ofByte: first.lowerBound))
    }

    private mutating func count(_ text: TokenizedText, mask: [Bool], _ known: [Range<Int>]) {
        for (span, isKey) in zip(text.spans, mask) {
            var (low, high) = (0, known.count)
            while low < high {
                let middle = (low + high) / 2
                if known[middle].upperBound <= span.lowerBound { low = middle + 1 } else { high = middle }
            }
            let isTrue = !span.isEmpty && low < known.count && known[low].lowerBound < span.upperBound
            tokens += 1
            if isKey { keyTokens += 1 }
            if isTrue { trueTokens += 1 }
            if isKey, isTrue { hits += 1 }
        }
    }

    private static func place(of difference: Range<Int>, from known: Range<Int>) -> Place {
        if difference.overlaps(known) || (difference.isEmpty && known.contains(difference.lowerBound)) {
            return .within
        }
        return difference.lowerBound < known.lowerBound ? .before : .after
    }

    /// Key tokens as a share of all tokens.
    public var keyShare: Double { share(keyTokens, of: tokens) }
    /// True tokens as a share of all tokens.
    public var trueShare: Double { share(trueTokens, of: tokens) }
    /// Of the key tokens, how many are true.
    public var precision: Double { share(hits, of: keyTokens) }
    /// Of the true tokens, how many are key tokens.
    public var recall: Double { share(hits, of: trueTokens) }
    /// The harmonic mean of precision and recall.
    public var f1: Double { share(2 * hits, of: keyTokens + trueTokens) }
    /// Pairs with a true key token as a share of all pairs.
    public var found: Double { share(pairsFound, of: pairs) }
    /// Pairs whose first difference lies there, as a share of all pairs.
    public func first(_ place: Place) -> Double { share(places[place] ?? 0, of: pairs) }
    /// Pairs whose first difference is in the known step, as a share of all pairs.
    public var firstInStep: Double { share(stepOffsets.count { $0 == 0 }, of: pairs) }
    /// Steps from the known one to that of the first difference, the median of all pairs that differ (of an even
    /// number the lower one of the middle two); 0 when there are none.
    public var medianStepOffset: Int {
        stepOffsets.isEmpty ? 0 : stepOffsets.sorted()[(stepOffsets.count - 1) / 2]
    }

    private func share(_ part: Int, of whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
}
