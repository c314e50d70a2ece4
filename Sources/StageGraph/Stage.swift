import CanonicalJSON
import ContentStore

/// A unit of work with typed parameters and ports.
///
/// A stage is a value made of its parameters. It keeps no state between actions, reads only what its context hands
/// it, and gives the same outputs for the same inputs, whatever the time, the host and the number of jobs.
public protocol Stage: Sendable {
    static var signature: StageSignature { get }

    /// - Throws: ``InvalidParameters`` when values that are each valid do not fit together.
    init(_ parameters: StageParameters) throws

    /// What an action occupies while it runs; one CPU slot unless a stage says otherwise.
    var resources: Resources { get }

    /// Programs an action starts; their digests are part of its key. Those of the signature unless a stage's parameters
    /// ask for more.
    var programs: [String] { get }

    /// Runs one action: reads the inputs, writes every output through the context and accounts for the records.
    func run(_ context: any ActionContext) async throws -> Accounting
}

extension Stage {
    public var resources: Resources { Resources(cpuSlots: 1) }
    public var programs: [String] { Self.signature.programs }
}

/// Parameters that are each valid but do not fit together.
public struct InvalidParameters: Error, Sendable, CustomStringConvertible {
    /// The parameter to point at, or nil for the stage as a whole.
    public let parameter: String?
    public let message: String

    public init(_ message: String, parameter: String? = nil) {
        self.message = message
        self.parameter = parameter
    }

    public var description: String { message }
}

/// What became of the records an action saw. `recordsIn == recordsOut + sum(dropped)`, and the engine checks it.
public struct Accounting: Sendable, Equatable {
    public var recordsIn: Int
    public var recordsOut: Int
    /// Records left out, by reason. No zero entries.
    public private(set) var dropped: [String: Int]
    /// What this execution cost, such as teacher calls: no part of the result, zero for a cached action.
    public var costs: [String: Int]

    public init(recordsIn: Int = 0, recordsOut: Int = 0, dropped: [String: Int] = [:], costs: [String: Int] = [:]) {
        self.recordsIn = recordsIn
        self.recordsOut = recordsOut
        self.dropped = dropped.filter { $0.value != 0 }
        self.costs = costs
    }

    public var isBalanced: Bool { recordsIn == recordsOut + dropped.values.reduce(0, +) }

    public mutating func drop(_ reason: String, count: Int = 1) {
        guard count > 0 else { return }
        dropped[reason, default: 0] += count
    }

    public static func += (a: inout Accounting, b: Accounting) {
        a.recordsIn += b.recordsIn
        a.recordsOut += b.recordsOut
        a.dropped.merge(b.dropped, uniquingKeysWith: +)
        a.costs.merge(b.costs, uniquingKeysWith: +)
    }
}
