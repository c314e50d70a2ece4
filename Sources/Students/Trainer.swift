import StudentJobs
import Tensors

/// Trains a decoder step by step.
public final class Trainer {
    let model: Decoder
    let data: TrainingSet
    let job: TrainingJob
    let plan: TrainingPlan
    /// Of each pair, log π₀(y⁺) − log π₀(y⁻) under the model training starts from (DPO only).
    private let referenceMargins: [Double]
    private let drift: UnweightedDrift?
    private let rate: LearningRate
    private let optimizer: AdamW
    /// Asked between micro-batches: whether to give up the step.
    var shouldStop: () -> Bool = { false }
    private var epochOrder: (number: Int, steps: [ArraySlice<Int>])
    /// Steps taken so far.
    public private(set) var step = 0

    /// Tokens a micro-batch holds where the job sets no limit; more gain nothing and take memory.
    static let defaultMaxTokens = 8192

    init(model: Decoder, data: TrainingSet, job: TrainingJob) throws {
        self.model = model
        self.data = data
        self.job = job
        plan = TrainingPlan(
            samples: data.count, batch: job.batch, epochs: job.epochs, maxSteps: job.maxSteps, seed: job.seed)
        rate = LearningRate(settings: job.optimizer, steps: plan.steps, stepsPerEpoch: plan.stepsPerEpoch)
        referenceMargins = try Self.referenceMargins(model, data, job)
        try plan.checkTargets(of: data, objective: job.objective)
        drift = try UnweightedDrift(data, job.objective, plan: plan, model: model)
        for parameter in model.trained { try parameter.tensor.setRequiresGradient(true) }
        optimizer = try AdamW(model.trained.map(\.tensor))
        epochOrder = (0, plan.epoch(0))
    }

    /// Everything that changes from step to step, but for the number of steps.
    var content: [Parameter] {
        zip(model.trained, zip(optimizer.first, optimizer.second)).flatMap { parameter, moments in
            [
                Parameter(name: "parameter.\(parameter.name)", tensor: parameter.tensor),
                Parameter(name: "first.\(parameter.name)", tensor: moments.0),
                Parameter(name: "second.\(parameter.name)", tensor: moments.1),
            ]
        }
    }

    /// Goes on after so many steps, once ``content`` is what it was then.
    func resume(at step: Int) {
        self.step = step
        optimizer.steps = step
    }

    public var isFinished: Bool { step >= plan.steps }

    /// Takes the next step, or returns nil where ``shouldStop`` said so.
    ///
    /// - Throws: ``StudentError`` when a loss or gradient is not a finite number, naming step and samples;
    ///   `TensorError` when memory runs out. The model is as before the step then.
    public func advance() throws -> TrainingStep? {
        precondition(!isFinished, "the run has \(plan.steps) steps")
        let epoch = step / plan.stepsPerEpoch
        if epochOrder.number != epoch { epochOrder = (epoch, plan.epoch(epoch)) }
        let samples = Array(epochOrder.steps[step % plan.stepsPerEpoch])
        let leaves = optimizer.parameters
        let outcome: Outcome
        do {
            outcome = try accumulateGradients(samples)
        } catch {
            for leaf in leaves { leaf.clearGradient() }
            if error is Interruption { return nil }
            throw error
        }
        let norm = try Tensor.gradientNorm(of: leaves)
        guard outcome.loss.isFinite, norm.isFinite else {
            for leaf in leaves { leaf.clearGradient() }
            throw notFinite(outcome.loss, norm, samples)
        }
        let learningRate = rate.rate(step: step + 1)
        let settings = job.optimizer
        // As torch.nn.utils.clip_grad_norm_ has it.
        let scale = settings.clipNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
        try optimizer.step(
            learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon,
            weightDecay: settings.weightDecay, gradientScale: scale)
        for leaf in leaves { leaf.clearGradient() }
        step += 1
        let endsEpoch = step % plan.stepsPerEpoch == 0 || isFinished
        return TrainingStep(
            step: step, steps: plan.steps, epoch: Double(step) / Double(plan.stepsPerEpoch), loss: outcome.loss,
            learningRate: learningRate, gradientNorm: norm, tokenAccuracy: outcome.tokens.share,
            keyAccuracy: outcome.keys.share, rejectedNLL: outcome.rejected.mean,
            preferenceAccuracy: outcome.preferred.share,
            unweightedDrift: endsEpoch ? try drift?.drift(of: model) : nil,
            tokens: samples.reduce(0) { $0 + data.tokenCount($1) })
    }

    private func notFinite(_ loss: Double, _ norm: Double, _ samples: [Int]) -> StudentError {
        let ids = samples.map(data.id)
        let shown = ids.prefix(8).map { "\"\($0)\"" }.joined(separator: ", ")
        let rest = ids.count > 8 ? " and \(ids.count - 8) more" : ""
        return StudentError(
            "step \(step + 1)",
            "the loss is \(loss) and the gradient norm \(norm) on samples \(shown)\(rest); lower learning_rate, set "
                + "clip_norm, or use precision float32")
    }

    /// What a step's samples amount to.
    struct Outcome {
        var loss = 0.0
        var tokens = Ratio()
        var keys = Ratio()
        var rejected = Ratio()
        var preferred = Ratio()
    }

    private struct Interruption: Error {}

    /// Adds the gradient of the mean loss over `samples` to the parameters' gradients, micro-batch by micro-batch.
    func accumulateGradients(_ samples: [Int]) throws -> Outcome {
        var outcome = Outcome()
        var part = 0
        func accumulate(_ batch: PackedBatch) throws -> ScoredTokens {
            if shouldStop() { throw Interruption() }
            part += 1
            model.dropoutKey = dropoutKey(part)
            defer { model.dropoutKey = nil }
            let scored = try model.accumulateGradients(of: batch, recomputes: job.recomputesActivations)
            outcome.loss += try scored.loss.scalar()
            return scored
        }
        switch (data, job.objective) {
        case (.tokens(let all), let objective):
            let completionTokens = samples.reduce(0) { $0 + all[$1].completion.count }
            for part in microBatches(samples) {
                let batch = PackedBatch(part.lazy.map { all[$0] }) { record in
                    let divisor =
                        objective == .sftPerSample ? record.completion.count * samples.count : completionTokens
                    return (record.weight ?? 1) / Double(divisor)
                }
                for correct in try accumulate(batch).correct { outcome.tokens.add(correct ? 1 : 0) }
            }
        case (.pairs(let all), .krsl(let settings)):
            for part in microBatches(samples) {
                let batch = PairBatch(part.lazy.map { all[$0] }, settings: settings, count: samples.count)
                guard batch.packed.targets.count > 0 else { continue }
                let scored = try accumulate(batch.packed)
                for (index, kind) in batch.kinds.enumerated() {
                    switch kind {
                    case .correctKey: outcome.keys.add(scored.correct[index] ? 1 : 0)
                    case .wrongKey: outcome.rejected.add(scored.nll[index])
                    case .correctOther: break
                    }
                }
            }
        case (.pairs(let all), .dpo(let beta)):
            for part in microBatches(samples) {
                var batch = PreferenceBatch(part.lazy.map { all[$0] })
                let references = part.map { referenceMargins[$0] }
                let preference = batch.preference(
                    nll: try withoutGradients { try model.score(batch.packed).nll }, references: references, beta: beta,
                    count: samples.count)
                outcome.loss += preference.loss
                for isPreferred in preference.isPreferred { outcome.preferred.add(isPreferred ? 1 : 0) }
                for nll in preference.rejected { outcome.rejected.add(nll) }
                let loss = outcome.loss
                _ = try accumulate(batch.packed)
                outcome.loss = loss
            }
        case (.pairs, .sft), (.pairs, .sftPerSample): preconditionFailure("pairs are for KRSL and DPO")
        }
        return outcome
    }

    private static func referenceMargins(
        _ model: Decoder, _ data: TrainingSet, _ job: TrainingJob
    ) throws -> [Double] {
        guard case .dpo = job.objective, case .pairs(let pairs) = data else { return [] }
        return try PreferenceBatch.margins(
            of: pairs, model: model, samples: job.batch.samples, tokens: job.batch.maxTokens ?? defaultMaxTokens)
    }

    /// Dropout differs from step to step and from micro-batch to micro-batch.
    private func dropoutKey(_ part: Int) -> UInt64 {
        var stream = RandomStream(seed: job.seed, path: RandomStream.path("dropout"), UInt64(step), UInt64(part))
        return stream.next()
    }

    /// Splits a step's samples into micro-batches, in order.
    private func microBatches(_ samples: [Int]) -> [ArraySlice<Int>] {
        let limit = job.batch.maxTokens ?? Self.defaultMaxTokens
        var result: [ArraySlice<Int>] = []
        var start = 0
        var tokens = 0
        for (index, sample) in samples.enumerated() {
            let count = data.tokenCount(sample)
            if index > start, tokens + count > limit || index - start == job.batch.samples {
                result.append(samples[start..<index])
                (start, tokens) = (index, 0)
            }
            tokens += count
        }
        result.append(samples[start...])
        return result
    }
}

/// A sum over a number of things.
struct Ratio: Sendable, Equatable {
    private(set) var sum = 0.0
    private(set) var count = 0

    mutating func add(_ value: Double) {
        sum += value
        count += 1
    }

    var mean: Double? { count == 0 ? nil : sum / Double(count) }
    var share: Double? { mean }
}
