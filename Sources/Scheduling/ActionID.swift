import ContentStore
import StageGraph

/// An action of a run: a stage by its index in the pipeline and a task by its index in the stage.
struct ActionID: Hashable, Sendable {
    private let stageIndex: Int32
    private let taskIndex: Int32

    init(stage: Int, task: Int) {
        stageIndex = Int32(stage)
        taskIndex = Int32(task)
    }

    var stage: Int { Int(stageIndex) }
    var task: Int { Int(taskIndex) }
}

/// What an action leaves behind on one output.
enum ActionOutput: Sendable, Equatable {
    /// Of a map stage: one shard, or nil when no record was written.
    case shard(Shard?)
    /// Of a source or reduce stage: a whole artifact.
    case artifact(Artifact)
}

/// A finished action: from the cache or freshly run.
struct ActionOutcome: Sendable {
    var outputs: [String: ActionOutput]
    var accounting: Accounting
    /// Seconds the execution took; 0 when cached.
    var seconds: Double
    /// Of a cached action, the blobs of the outputs that are no longer to be had.
    var missing: [Digest] = []
}

/// A map stage found finished as a whole.
struct StageOutcome: Sendable {
    var outputs: [String: Artifact]
    /// Summed over all actions, without costs.
    var accounting: Accounting
    var actions: Int
    /// The blobs of the outputs that are no longer to be had.
    var missing: [Digest] = []
}
