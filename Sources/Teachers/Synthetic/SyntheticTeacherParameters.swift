import CanonicalJSON

/// How the synthetic teacher answers. All rates are shares from 0 to 1 and are decided question by question.
public struct SyntheticTeacherParameters: Sendable, Equatable {
    public var seed: UInt64
    /// CEP: how many first answers are wrong.
    public var errorRate: Double
    /// CEP: how many answers break off before the conclusion.
    public var unansweredRate: Double
    /// AHP: how many answers stay wrong in spite of the hint.
    public var failedRectificationRate: Double
    /// AHP: how many answers mention the hint.
    public var hintLeakRate: Double
    /// AHP: how many answers are worded anew.
    public var rephrasingRate: Double
    /// CCP: how many requests for a wrong answer are refused.
    public var refusalRate: Double
    /// CCP: how many answers only repeat the right response.
    public var identicalRate: Double

    public init(
        seed: UInt64 = 0, errorRate: Double = 0.25, unansweredRate: Double = 0.01,
        failedRectificationRate: Double = 0.05, hintLeakRate: Double = 0.03, rephrasingRate: Double = 0.02,
        refusalRate: Double = 0.03, identicalRate: Double = 0.02
    ) {
        self.seed = seed
        self.errorRate = errorRate
        self.unansweredRate = unansweredRate
        self.failedRectificationRate = failedRectificationRate
        self.hintLeakRate = hintLeakRate
        self.rephrasingRate = rephrasingRate
        self.refusalRate = refusalRate
        self.identicalRate = identicalRate
    }

    /// From members that a schema has checked: `seed` and the rates under their names in pipeline files. What is missing
    /// has its default.
    public init(declared object: JSONObject) {
        self.init()
        seed = object["seed"]?.integer.map { UInt64($0) } ?? seed
        for (key, path) in Self.rates { self[keyPath: path] = object[key]?.double ?? self[keyPath: path] }
    }

    /// The rates under their names in pipeline files.
    static var rates: [(key: String, path: WritableKeyPath<SyntheticTeacherParameters, Double>)] {
        [
            ("error-rate", \.errorRate), ("unanswered-rate", \.unansweredRate),
            ("failed-rectification-rate", \.failedRectificationRate), ("hint-leak-rate", \.hintLeakRate),
            ("rephrasing-rate", \.rephrasingRate), ("refusal-rate", \.refusalRate),
            ("identical-rate", \.identicalRate),
        ]
    }

    /// Every parameter, whether set or left at its default.
    var jsonObject: JSONObject {
        var object = JSONObject([("seed", .integer(Int64(bitPattern: seed)))])
        for (key, path) in Self.rates { object[key] = .number(self[keyPath: path]) }
        return object
    }
}
