import StudentJobs
import Tensors

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Pairs of completions for direct preference optimisation, sharing what they share as ``PairBatch`` does.
///
/// The gradient of −log σ(β m) with m = margin − reference margin is β σ(−β m) · (∇NLL(y⁺) − ∇NLL(y⁻)), a weighted sum of
/// token NLLs once m is known. So a batch is scored twice: without gradients for the margins, and with the weights
/// they give.
struct PreferenceBatch {
    /// All tokens of both completions of each pair are targets: those of the correct one first.
    private(set) var packed: PackedBatch
    private let lengths: [(correct: Int, wrong: Int)]

    init(_ pairs: some Sequence<TokenPairRecord>) {
        let all = pairs.map { pair in
            var pair = pair
            pair.correctKeys = pair.correct.map { _ in 1 }
            pair.wrongKeys = pair.wrong.map { _ in 1 }
            return pair
        }
        packed = PairBatch(all, settings: KRSLSettings(alpha: 1, beta: 1, normalization: .sum), count: 1).packed
        lengths = all.map { ($0.correct.count, $0.wrong.count) }
    }

    /// What a batch amounts to.
    struct Preference: Equatable {
        /// Σ −log σ(β m) / count, nats.
        var loss = 0.0
        /// Of each pair, m > 0.
        var isPreferred: [Bool] = []
        /// The NLL of each token of the wrong completions.
        var rejected: [Double] = []
    }

    /// log π(y⁺) − log π(y⁻) of each pair.
    func margins(nll: [Double]) -> [Double] {
        var offset = 0
        return lengths.map { correct, wrong in
            let middle = offset + correct
            let margin = nll[middle..<middle + wrong].reduce(0, +) - nll[offset..<middle].reduce(0, +)
            offset = middle + wrong
            return margin
        }
    }

    /// The loss, and the weights of its gradient as those of ``packed``.
    ///
    /// - Parameters:
    ///   - nll: of each target, as the model has it now.
    ///   - references: ``margins(nll:)`` under the reference model.
    ///   - count: pairs over which the loss is the mean.
    mutating func preference(nll: [Double], references: [Double], beta: Double, count: Int) -> Preference {
        var result = Preference()
        var offset = 0
        for (index, margin) in margins(nll: nll).enumerated() {
            let (correct, wrong) = lengths[index]
            let reward = beta * (margin - references[index])
            // log(1 + e^−x), for large |x| too.
            result.loss += (max(0, -reward) + log1p(exp(-abs(reward)))) / Double(count)
            result.isPreferred.append(reward > 0)
            let weight = beta / (1 + exp(reward)) / Double(count)
            for target in offset..<offset + correct { packed.targets.weights[target] = weight }
            for target in offset + correct..<offset + correct + wrong {
                packed.targets.weights[target] = -weight
                result.rejected.append(nll[target])
            }
            offset += correct + wrong
        }
        return result
    }

    /// The margins of all pairs under a model, a bounded number of pairs and tokens at a time.
    static func margins(
        of pairs: [TokenPairRecord], model: Decoder, samples: Int, tokens limit: Int
    ) throws -> [Double] {
        var result: [Double] = []
        var start = 0
        while start < pairs.count {
            var end = start
            var tokens = 0
            while end < pairs.count, end - start < samples {
                let pair = pairs[end]
                tokens += 2 * pair.prompt.count + pair.correct.count + pair.wrong.count
                if end > start, tokens > limit { break }
                end += 1
            }
            let batch = PreferenceBatch(pairs[start..<end])
            result += batch.margins(nll: try withoutGradients { try model.score(batch.packed).nll })
            start = end
        }
        return result
    }
}
