import CanonicalJSON

/// A line `retort-student` writes to its standard output while it works.
///
/// The last event of a run is always ``done(_:)`` or ``failed(_:)``; a worker that ends without either has died.
public enum WorkerEvent: Sendable, Equatable {
    /// An optimizer step was taken.
    case step(TrainingStep)
    /// Part of the work is done.
    case progress(WorkProgress)
    /// The output is complete and in place.
    case done(WorkSummary)
    /// The job cannot be done; the process ends with status 1. What failed, why, and what to do about it.
    case failed(String)
}

/// How training stands after an optimizer step.
public struct TrainingStep: Sendable, Equatable {
    /// Counted from 1.
    public var step: Int
    /// Steps the whole run takes.
    public var steps: Int
    /// Passes over the data so far.
    public var epoch: Double
    /// Of the samples of this step: what the objective minimises, in nats.
    public var loss: Double
    public var learningRate: Double
    /// Norm over all trained parameters before clipping.
    public var gradientNorm: Double
    /// Completion tokens that were the most likely ones, as a share (SFT only).
    public var tokenAccuracy: Double?
    /// The same for key tokens of the correct completions (KRSL only; nil when the step has none).
    public var keyAccuracy: Double?
    /// Mean NLL in nats of the key tokens of the wrong completions (KRSL; nil when the step has none), or of all
    /// their tokens (DPO).
    public var rejectedNLL: Double?
    /// Pairs whose correct completion gained more probability over the wrong one than the reference gives it, as a
    /// share (DPO only).
    public var preferenceAccuracy: Double?
    /// Change of the mean NLL in nats since training began of completion tokens without a weight, on a few of the pairs
    /// (KRSL only, in steps that end an epoch or the run).
    public var unweightedDrift: Double?
    /// Real tokens (prompts and completions, no padding) of this step.
    public var tokens: Int
    /// Real tokens a second since the last step event; nil in the log file.
    public var tokensPerSecond: Double?

    public init(
        step: Int, steps: Int, epoch: Double, loss: Double, learningRate: Double, gradientNorm: Double,
        tokenAccuracy: Double? = nil, keyAccuracy: Double? = nil, rejectedNLL: Double? = nil,
        preferenceAccuracy: Double? = nil, unweightedDrift: Double? = nil, tokens: Int, tokensPerSecond: Double? = nil
    ) {
        self.step = step
        self.steps = steps
        self.epoch = epoch
        self.loss = loss
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.tokenAccuracy = tokenAccuracy
        self.keyAccuracy = keyAccuracy
        self.rejectedNLL = rejectedNLL
        self.preferenceAccuracy = preferenceAccuracy
        self.unweightedDrift = unweightedDrift
        self.tokens = tokens
        self.tokensPerSecond = tokensPerSecond
    }
}

/// So much of so much.
public struct WorkProgress: Sendable, Equatable {
    public var done: Int
    public var total: Int
    /// What is counted, such as `prompts`.
    public var unit: String

    public init(done: Int, total: Int, unit: String) {
        self.done = done
        self.total = total
        self.unit = unit
    }
}

/// What a finished job amounts to.
public struct WorkSummary: Sendable, Equatable {
    /// The checkpoint directory or output file.
    public var output: String
    /// Optimizer steps taken; 0 for generation.
    public var steps: Int
    /// Tokens trained on or generated.
    public var tokens: Int
    /// Wall time of the work, without loading and saving.
    public var seconds: Double

    public init(output: String, steps: Int, tokens: Int, seconds: Double) {
        self.output = output
        self.steps = steps
        self.tokens = tokens
        self.seconds = seconds
    }
}
