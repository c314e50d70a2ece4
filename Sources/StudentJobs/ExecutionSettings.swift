import CanonicalJSON

/// How the worker computes: where, in what precision, on how many threads.
///
/// Results are the same bytes whenever these, the job, the machine and the tensor library are the same.
public struct ExecutionSettings: Sendable, Equatable {
    public var device: Device
    public var precision: Precision
    /// Threads of tensor operations. One is fastest for models of a few million parameters: run two jobs side by
    /// side instead of one job on two threads.
    public var threads: Int

    public enum Device: String, Sendable, CaseIterable {
        /// A GPU when the tensor library sees one.
        case auto
        case cpu
        case cuda
    }

    public enum Precision: String, Sendable, CaseIterable {
        case float32
        /// Parameters and optimizer in float32, matrix products in bfloat16.
        case bfloat16
    }

    public init(device: Device = .cpu, precision: Precision = .float32, threads: Int = 1) {
        self.device = device
        self.precision = precision
        self.threads = threads
    }

    public var json: JSON {
        [
            "device": .string(device.rawValue), "precision": .string(precision.rawValue),
            "threads": .whole(threads),
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            device: try json.choice("device"), precision: try json.choice("precision"),
            threads: try json.integer("threads"))
        try json.check("threads", threads >= 1, "must be at least 1")
    }
}
