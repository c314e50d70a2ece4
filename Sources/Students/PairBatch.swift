import StudentJobs
import Tensors

/// Pairs of completions for KRSL, sharing what they share.
///
/// The prompt and the longest common beginning of the two completions are computed once; each side continues from
/// there up to its last weighted token. Rows that carry no weight for any later token are left out, which changes
/// nothing: attention is causal.
struct PairBatch: Sendable, Equatable {
    var packed = PackedBatch()
    /// For each target, what it is.
    var kinds: [Kind] = []

    enum Kind: Sendable, Equatable {
        case correctKey
        case correctOther
        case wrongKey
    }

    /// - Parameters:
    ///   - count: pairs over which the loss is the mean (those of the whole step).
    init(_ pairs: some Sequence<TokenPairRecord>, settings: KRSLSettings, count: Int) {
        if settings.rejectedCeiling != nil { packed.targets.ceilings = [] }
        for pair in pairs { append(pair, settings: settings, count: count) }
    }

    private mutating func append(_ pair: TokenPairRecord, settings: KRSLSettings, count: Int) {
        func scale(_ tokens: Int) -> Double {
            switch settings.normalization {
            case .perToken: 1 / (Double(tokens) * Double(count))
            case .sum: 1 / Double(count)
            }
        }
        let keepsOther = settings.gamma != 0
        let correctCount = keepsOther ? pair.correct.count : (pair.correctKeys.lastIndex(of: 1) ?? -1) + 1
        let wrongCount = (pair.wrongKeys.lastIndex(of: 1) ?? -1) + 1
        guard correctCount + wrongCount > 0 else { return }
        // What must be read to predict that many tokens.
        let correct = pair.correct.prefix(max(0, correctCount - 1))
        let wrong = pair.wrong.prefix(max(0, wrongCount - 1))
        let shared =
            correctCount == 0 || wrongCount == 0
            ? max(correct.count, wrong.count)
            : zip(correct, wrong).prefix { $0 == $1 }.count
        let longer = correct.count >= wrong.count ? correct : wrong
        let prefix = packed.append(pair.prompt + longer.prefix(shared))
        let correctRows = packed.append(correct.dropFirst(shared), after: prefix)
        let wrongRows = packed.append(wrong.dropFirst(shared), after: prefix)

        /// The row that predicts completion token `index`.
        func row(_ index: Int, _ own: Range<Int>) -> Int {
            index <= shared ? prefix.lowerBound + pair.prompt.count - 1 + index : own.lowerBound + index - shared - 1
        }
        for index in 0..<correctCount where keepsOther || pair.correctKeys[index] == 1 {
            let isKey = pair.correctKeys[index] == 1
            let weight = (isKey ? settings.alpha : settings.gamma) * scale(pair.correct.count)
            expect(
                pair.correct[index], at: row(index, correctRows), weight: weight, isKey ? .correctKey : .correctOther,
                ceiling: .infinity)
        }
        for index in 0..<wrongCount where pair.wrongKeys[index] == 1 {
            expect(
                pair.wrong[index], at: row(index, wrongRows), weight: -settings.beta * scale(pair.wrong.count),
                .wrongKey, ceiling: settings.rejectedCeiling ?? .infinity)
        }
    }

    private mutating func expect(_ token: Int32, at row: Int, weight: Double, _ kind: Kind, ceiling: Double) {
        packed.expect(token, at: row, weight: weight)
        packed.targets.ceilings?.append(ceiling)
        kinds.append(kind)
    }
}
