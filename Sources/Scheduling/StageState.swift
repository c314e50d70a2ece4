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
        /// Has to run, once content that it reads and that is gone has been made again.
        case blocked
        /// Has to run and waits for resources.
        case ready
        case running
        /// Another process is running it; occupies nothing here.
        case heldElsewhere
        /// Computed; its result is not durable yet.
        case publishing
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
    var key: Digest?
    var outputs: [String: Shard] = [:]
    /// What became of its records, without costs; nil until it is done.
    var accounting: Accounting?
    /// It was done before and runs again, because something reads content of its that is gone.
    var isRestoring = false
    /// This run executed it, as against found it in the cache.
    var isExecuted = false
    /// Blobs it reads that have to be made again first.
    var lacking: Set<Digest> = []
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
    /// What an action occupies of the run's limits.
    var needs = Resources()
    /// The longest chain of stages that starts with this one, in seconds where they are known.
    var reach = 0.0
    /// Outputs whose content the run is for.
    var wanted: Set<String> = []

    var phase = Phase.waiting
    var sources: [ActionPreimage.Input]?
    var programs: [ActionPreimage.Input] = []
    var tasks: [TaskState]?
    /// For each sharded input, this stage's task for each task (or shard) of the source stage.
    var routes: [[Int]] = []
    var unfinishedTasks = 0
    /// Actions that are done and run again for content that is gone.
    var unrestoredTasks = 0
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
