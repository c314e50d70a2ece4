import CanonicalJSON

/// A low-rank adapter: which linear maps W of the model become W + (alpha / rank) · B · A, and how.
///
/// - Source: Hu et al. 2021, "LoRA"; the names are PEFT's.
public struct LoRASettings: Sendable, Equatable {
    /// Rows of A and columns of B.
    public var rank: Int
    /// The update is multiplied by alpha / rank.
    public var alpha: Double
    /// Share of the elements of an update's input that are zeroed in training; in [0, 1).
    public var dropout: Double
    /// Names of linear maps, out of ``allTargets``; each means that map in every layer.
    public var targets: [String]

    /// Every linear map of a layer.
    public static let allTargets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

    /// EDIT's own: rank 64, alpha 32, dropout 0.05, on q_proj and v_proj.
    public init(
        rank: Int = 64, alpha: Double = 32, dropout: Double = 0.05, targets: [String] = ["q_proj", "v_proj"]
    ) {
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.targets = targets
    }

    /// What the update is multiplied by.
    public var scale: Double { alpha / Double(rank) }
}

extension LoRASettings {
    public var json: JSON {
        [
            "rank": .whole(rank), "alpha": .number(alpha), "dropout": .number(dropout),
            "targets": .array(targets.map { .string($0) }),
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            rank: try json.integer("rank"), alpha: try json.double("alpha"), dropout: try json.double("dropout"),
            targets: try json.strings("targets"))
        try json.check("rank", 1...65_536 ~= rank, "must lie between 1 and 65536")
        try json.check("alpha", alpha > 0, "must be positive")
        try json.check("dropout", 0..<1 ~= dropout, "must lie in [0, 1)")
        try json.check("targets", !targets.isEmpty, "must name at least one linear map")
        for target in targets where !Self.allTargets.contains(target) {
            throw JSONFieldError(
                field: "targets",
                problem: "has \"\(target)\"; known are \(Self.allTargets.joined(separator: ", "))")
        }
    }
}

/// The adapter that is trained while the model itself stays as it is.
public enum InitialAdapter: Sendable, Equatable {
    /// A new one: A random from the job's seed, B zero, so that training begins at the model itself.
    case new(LoRASettings)
    /// One in PEFT's format, to go on with.
    case directory(String)
}

extension InitialAdapter {
    public var json: JSON {
        switch self {
        case .new(let settings): ["new": settings.json]
        case .directory(let path): ["directory": .string(path)]
        }
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        switch (json["new"], json["directory"]) {
        case (_?, nil): self = .new(try LoRASettings(json: json.object("new")))
        case (nil, _?): self = .directory(try json.string("directory"))
        default: throw JSONFieldError(field: "adapter", problem: "should have either \"new\" or \"directory\"")
        }
    }
}
