import CanonicalJSON
import ContentStore
import StageGraph

/// What became of a stage in a run.
public struct StageReport: Sendable {
    public enum Status: String, Sendable {
        case ok
        case failed
        /// Not reached, because something before it failed or the run was stopped.
        case pending
    }

    public let name: String
    public let type: String
    public let status: Status
    /// Actions that were executed or answered by the cache.
    public var actions: Int { executed + cached }
    public let executed: Int
    public let cached: Int
    /// Summed over executed and cached actions; costs over executed ones only.
    public let accounting: Accounting
    /// Seconds spent executing, summed over actions.
    public let seconds: Double
    /// The artifacts by output, once the stage is complete.
    public let outputs: [String: Artifact]
}

/// Why an action or a stage failed.
public struct RunFailure: Error, Sendable {
    public let stage: String
    public let prefix: ShardPrefix?
    /// The records the failure concerns: those the stage named, else those of the shard.
    public let records: RecordSample?
    public let message: String
}

extension RunFailure: CustomStringConvertible {
    /// One line for people: what failed, where, on which records, and why.
    public var description: String {
        let shard = prefix.map { $0.length > 0 ? ", shard \($0)" : "" } ?? ""
        let concerned = records.map { ", \($0)" } ?? ""
        return "stage \(stage)\(shard)\(concerned): \(message)"
    }
}

/// The outcome of a run.
public struct RunReport: Sendable {
    public enum Status: String, Sendable {
        case ok
        case failed
        case interrupted
    }

    public let pipeline: String
    public let status: Status
    /// Wall-clock seconds of the whole run.
    public let seconds: Double
    /// In the order of the pipeline.
    public let stages: [StageReport]
    /// In the order they occurred.
    public let failures: [RunFailure]

    public func stage(_ name: String) -> StageReport? { stages.first { $0.name == name } }
    public var executed: Int { stages.reduce(0) { $0 + $1.executed } }
}

/// Something that happened in a run, for display.
public enum RunEvent: Sendable {
    case actionStarted(stage: String, prefix: ShardPrefix, reasons: [Reason])
    case actionFinished(stage: String, prefix: ShardPrefix, seconds: Double)
    case actionFailed(RunFailure)
    case stageFinished(StageReport)
    /// Progress inside an action, such as a training step.
    case progress(stage: String, prefix: ShardPrefix, JSONObject)
    case warning(String)
}
