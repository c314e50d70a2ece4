import CanonicalJSON

/// How each next token is chosen.
public struct SamplingSettings: Sendable, Equatable {
    /// Logits are divided by this before anything else; 0 is greedy.
    public var temperature: Double
    /// Only so many of the most likely tokens are drawn from; nil for all.
    public var topK: Int?
    /// Of those, only the fewest most likely that together have this probability; 1 for all.
    public var topP: Double

    public static let greedy = SamplingSettings(temperature: 0)

    public init(temperature: Double, topK: Int? = nil, topP: Double = 1) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
    }

    /// Whether every sample of a prompt is the same.
    public var isGreedy: Bool { temperature == 0 }
}

extension SamplingSettings {
    public var json: JSON {
        ["temperature": .number(temperature), "top_k": .optional(topK), "top_p": .number(topP)]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            temperature: try json.double("temperature"), topK: try json.optionalInteger("top_k"),
            topP: try json.optionalDouble("top_p") ?? 1)
        try json.check("temperature", temperature >= 0 && temperature.isFinite, "must not be negative")
        try json.check("top_k", topK ?? 1 >= 1, "must be at least 1, or null for all")
        try json.check("top_p", topP > 0 && topP <= 1, "must lie in (0, 1]")
    }
}
