import CanonicalJSON
import ContentStore
import StageGraph

/// An action in the state machine.
struct TaskState {
    enum Status: Equatable {
        /// Some input is not there yet.
        case waiting
        /// The cache is being asked.
        case lookingUp
        /// Has to run and waits for a slot.
        case ready
        case running
        case done
        case failed
        /// Planning only: it would run.
        case wouldRun
    }

    let prefix: ShardPrefix
    /// Upstream tasks and whole artifacts that are still missing.
    var pending: Int
    var status = Status.waiting
    /// No record falls into this shard: nothing to do, and no action.
    var isVacant = false
    /// Shards by sharded role, filled in as they arrive; kept in prefix order.
    var shards: [[Shard]]
    var preimage: ActionPreimage?
    var key: Digest?
    var outputs: [String: Shard] = [:]
}

/// A stage in the state machine.
struct StageState {
    enum Phase: Equatable {
        case waiting
        /// Asking for the memo of the whole stage.
        case lookingUpMemo
        /// Its actions are decided one by one.
        case open
        /// All actions are done; the artifacts are being published.
        case completing
        case complete
        case failed
    }

    /// A sharded or whole input, resolved to the stage that makes it.
    struct Input {
        let binding: InputBinding
        let source: Int
        let isSharded: Bool
    }

    let node: StageNode
    let inputs: [Input]
    /// Dependent stages and the index of the input there.
    var dependents: [(stage: Int, input: Int)] = []
    /// Length of the longest chain of stages that hang on this one.
    var height = 0

    var phase = Phase.waiting
    var sources: [ActionPreimage.Input]?
    var programs: [ActionPreimage.Input] = []
    var tasks: [TaskState]?
    /// For each sharded input, this stage's task for each task (or shard) of the source stage.
    var routes: [[Int]] = []
    var unfinishedTasks = 0
    var outputs: [String: Artifact] = [:]
    /// Key of the stage memo, or of the only action.
    var key: Digest?

    var executed = 0
    var cached = 0
    var accounting = Accounting()
    var seconds = 0.0
    var problem: String?

    var signature: StageSignature { node.signature }
    var isMap: Bool { signature.granularity == .map }
    var isFinished: Bool { phase == .complete || phase == .failed }
}
