import StudentJobs
import Tensors

/// How far KRSL carries the model off on tokens that it gives no weight: the change of their mean NLL since training
/// began, on a fixed few pairs. Of a pair these are the tokens that both sides share, which nothing in the loss holds.
struct UnweightedDrift {
    /// Pairs to look at, at most: each look computes both sides of all of them once.
    static let pairs = 8

    private let batches: [PackedBatch]
    /// Of each batch's targets, whether the loss gives them no weight.
    private let isUnweighted: [[Bool]]
    /// Mean NLL in nats before training.
    private var start = 0.0

    /// Nil for another objective, and where every token has a weight.
    init?(_ data: TrainingSet, _ objective: Objective, plan: TrainingPlan, model: Decoder) throws {
        guard case .krsl(let settings) = objective, case .pairs(let all) = data else { return nil }
        let chosen = plan.epoch(0).lazy.joined().prefix(Self.pairs).map { all[$0] }
        batches = chosen.map { pair in
            PackedBatch(
                [
                    TokenRecord(id: pair.id, prompt: pair.prompt, completion: pair.correct),
                    TokenRecord(id: pair.id, prompt: pair.prompt, completion: pair.wrong),
                ], weight: 0)
        }
        isUnweighted = chosen.map { pair in
            pair.correctKeys.map { ($0 == 1 ? settings.alpha : settings.gamma) == 0 }
                + pair.wrongKeys.map { $0 == 0 || settings.beta == 0 }
        }
        guard isUnweighted.joined().contains(true) else { return nil }
        start = try mean(model)
    }

    /// Nats a token; above 0 where the model finds these tokens less likely than at the start. Nil where it is no finite
    /// number, which the next step reports.
    func drift(of model: Decoder) throws -> Double? {
        let drift = try mean(model) - start
        return drift.isFinite ? drift : nil
    }

    private func mean(_ model: Decoder) throws -> Double {
        var ratio = Ratio()
        for (batch, unweighted) in zip(batches, isUnweighted) {
            let nll = try withoutGradients { try model.score(batch).nll }
            for (value, counts) in zip(nll, unweighted) where counts { ratio.add(value) }
        }
        return ratio.mean ?? 0
    }
}
