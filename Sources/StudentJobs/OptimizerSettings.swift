import CanonicalJSON

/// AdamW with decoupled weight decay, as `torch.optim.AdamW` computes it, and its learning-rate schedule.
public struct OptimizerSettings: Sendable, Equatable {
    /// The peak learning rate.
    public var learningRate: Double
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    /// Decay of every trained parameter per step, as a share of it times the learning rate.
    public var weightDecay: Double
    /// Gradients whose norm over all parameters exceeds this are scaled down to it. Nil: never.
    public var clipNorm: Double?
    public var schedule: Schedule
    /// Steps over which the learning rate rises linearly from zero.
    public var warmUpSteps: Int

    /// How the learning rate changes after warm-up.
    public enum Schedule: Sendable, Equatable {
        case constant
        /// Linearly to `floor` times the peak at the last step.
        case linear(floor: Double)
        /// Along half a cosine to `floor` times the peak at the last step.
        case cosine(floor: Double)
        /// Times `gamma` after each epoch, as EDIT trains (γ = 0.95).
        case perEpoch(gamma: Double)
    }

    public init(
        learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        weightDecay: Double = 0, clipNorm: Double? = 1, schedule: Schedule = .constant, warmUpSteps: Int = 0
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.clipNorm = clipNorm
        self.schedule = schedule
        self.warmUpSteps = warmUpSteps
    }
}

extension OptimizerSettings {
    public var json: JSON {
        [
            "learning_rate": .number(learningRate), "beta1": .number(beta1), "beta2": .number(beta2),
            "epsilon": .number(epsilon), "weight_decay": .number(weightDecay),
            "clip_norm": clipNorm.map { .number($0) } ?? .null, "schedule": schedule.json,
            "warm_up_steps": .whole(warmUpSteps),
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            learningRate: try json.double("learning_rate"), beta1: try json.double("beta1"),
            beta2: try json.double("beta2"), epsilon: try json.double("epsilon"),
            weightDecay: try json.double("weight_decay"), clipNorm: try json.optionalDouble("clip_norm"),
            schedule: try Schedule(json: json.object("schedule")), warmUpSteps: try json.integer("warm_up_steps"))
        try json.check("learning_rate", learningRate > 0, "must be positive")
        try json.check("beta1", 0..<1 ~= beta1, "must lie in [0, 1)")
        try json.check("beta2", 0..<1 ~= beta2, "must lie in [0, 1)")
        try json.check("epsilon", epsilon > 0, "must be positive")
        try json.check("weight_decay", weightDecay >= 0, "must not be negative")
        try json.check("clip_norm", clipNorm ?? 1 > 0, "must be positive, or null for no clipping")
        try json.check("warm_up_steps", warmUpSteps >= 0, "must not be negative")
    }
}

extension OptimizerSettings.Schedule {
    public var json: JSON {
        switch self {
        case .constant: ["kind": "constant"]
        case .linear(let floor): ["kind": "linear", "floor": .number(floor)]
        case .cosine(let floor): ["kind": "cosine", "floor": .number(floor)]
        case .perEpoch(let gamma): ["kind": "per_epoch", "gamma": .number(gamma)]
        }
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        switch try json.string("kind") {
        case "constant": self = .constant
        case "linear": self = .linear(floor: try json.double("floor"))
        case "cosine": self = .cosine(floor: try json.double("floor"))
        case "per_epoch": self = .perEpoch(gamma: try json.double("gamma"))
        case let other:
            throw JSONFieldError(
                field: "kind", problem: "should be constant, linear, cosine or per_epoch, found \"\(other)\"")
        }
    }
}
