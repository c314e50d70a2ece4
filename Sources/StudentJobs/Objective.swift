import CanonicalJSON

/// What training minimises.
public enum Objective: Sendable, Equatable {
    /// Supervised fine-tuning: the mean NLL of the completion tokens of a batch, prompts masked out (EDIT Eq. 4).
    /// Reads `tokens/1` shards.
    case sft
    /// The same with every sample counting alike, however long: the mean over the batch of each sample's mean token
    /// NLL times its weight. For samples of several tasks, whose losses are to be added (MT-CoT, step-by-step).
    case sftPerSample
    /// Key reasoning steps learning (EDIT Eq. 5 to 7). Reads `token-pairs/1` shards.
    case krsl(KRSLSettings)
    /// Direct preference optimisation of the correct over the wrong completion, as whole sequences, against the model
    /// training starts from. Reads `token-pairs/1` shards; their masks play no part.
    ///
    ///     L = −log σ(β · ((log π(y⁺) − log π₀(y⁺)) − (log π(y⁻) − log π₀(y⁻))))
    ///
    /// - Source: Rafailov et al., "Direct Preference Optimization" (2023), Eq. 7.
    case dpo(beta: Double)
}

/// The weights of key reasoning steps learning, EDIT Eq. 5.
public struct KRSLSettings: Sendable, Equatable {
    /// Weight of the key tokens of the correct completion.
    public var alpha: Double
    /// Weight of the other tokens of the correct completion; 0 as published.
    public var gamma: Double
    /// Weight, in the subtracted term, of the key tokens of the wrong completion.
    public var beta: Double
    public var normalization: Normalization
    /// A key token of the wrong completion whose NLL (nats) is above this no longer counts, which bounds the
    /// subtracted term. Nil: no bound, as published.
    public var rejectedCeiling: Double?

    /// What a sample's weighted sum of token NLLs is divided by before the mean over the batch.
    public enum Normalization: String, Sendable, CaseIterable {
        /// By the number of its completion tokens, EOS included, whatever their weight; as the authors' code does.
        case perToken = "per_token"
        /// By nothing.
        case sum
    }

    public init(
        alpha: Double = 1, beta: Double = 0.025, gamma: Double = 0, normalization: Normalization = .perToken,
        rejectedCeiling: Double? = nil
    ) {
        self.alpha = alpha
        self.gamma = gamma
        self.beta = beta
        self.normalization = normalization
        self.rejectedCeiling = rejectedCeiling
    }
}

extension Objective {
    public var json: JSON {
        switch self {
        case .sft: ["kind": "sft"]
        case .sftPerSample: ["kind": "sft", "normalization": "per_sample"]
        case .dpo(let beta): ["kind": "dpo", "beta": .number(beta)]
        case .krsl(let settings):
            [
                "kind": "krsl", "alpha": .number(settings.alpha), "beta": .number(settings.beta),
                "gamma": .number(settings.gamma),
                "normalization": .string(settings.normalization.rawValue),
                "rejected_ceiling": settings.rejectedCeiling.map { .number($0) } ?? .null,
            ]
        }
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        switch try json.string("kind") {
        case "sft":
            switch try json.optionalString("normalization") {
            case nil, "per_token": self = .sft
            case "per_sample": self = .sftPerSample
            case let other?:
                throw JSONFieldError(
                    field: "normalization", problem: "should be per_token or per_sample, found \"\(other)\"")
            }
        case "dpo":
            let beta = try json.double("beta")
            try json.check("beta", beta > 0, "must be positive")
            self = .dpo(beta: beta)
        case "krsl":
            self = .krsl(
                KRSLSettings(
                    alpha: try json.double("alpha"), beta: try json.double("beta"),
                    gamma: try json.optionalDouble("gamma") ?? 0,
                    normalization: try json.choice("normalization"),
                    rejectedCeiling: try json.optionalDouble("rejected_ceiling")))
        case let other:
            throw JSONFieldError(field: "kind", problem: "should be sft, krsl or dpo, found \"\(other)\"")
        }
    }
}
