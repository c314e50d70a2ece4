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
    var pending: Int32
    var status = Status.waiting
    /// No record falls into this shard: nothing to do, and no action.
    var isVacant = false
    var key: Digest?
    /// What became of its records, without costs; nil until it is done.
    var accounting: Accounting?
    /// It was done before and runs again, because something reads content of its that is gone.
    var isRestoring = false
    /// This run executed it, as against found it in the cache.
    var isExecuted = false
    /// Blobs it reads that have to be made again first.
    var lacking: Set<Digest> = []
}

/// The shards of one output that a map stage's tasks have made, without their prefixes, which are the tasks' own.
struct MadeShards {
    private struct Entry {
        var digest: Digest
        var records: Int
        var bytes: Int
    }

    private var entries: [Entry?]

    init(tasks: Int) { entries = Array(repeating: nil, count: tasks) }

    mutating func set(_ shard: Shard, of task: Int) {
        entries[task] = Entry(digest: shard.digest, records: shard.records, bytes: shard.bytes)
    }

    func shard(of task: Int, at prefix: ShardPrefix) -> Shard? {
        entries[task].map { Shard(prefix: prefix, digest: $0.digest, records: $0.records, bytes: $0.bytes) }
    }
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
    /// Those of `inputs` that arrive shard by shard.
    let shardedInputs: [Input]
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
    /// For each sharded input, this stage's task for each task (or shard) of the source stage: in ascending order.
    var routes: [[Int32]] = []
    /// What a map stage's tasks have made so far, by output; emptied once ``outputs`` has it.
    var made: [String: MadeShards] = [:]
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

    init(node: StageNode, inputs: [Input]) {
        self.node = node
        self.inputs = inputs
        shardedInputs = inputs.filter(\.isSharded)
    }

    var signature: StageSignature { node.signature }
    var isMap: Bool { signature.granularity == .map }
    var isFinished: Bool { phase == .complete || phase == .failed }

    /// The shard that a task of a map stage made on an output, if it is done and wrote any record. O(log tasks).
    func shard(of task: Int, on port: String) -> Shard? {
        let prefix = tasks![task].prefix
        return outputs[port].map { $0.shard(at: prefix) } ?? made[port]?.shard(of: task, at: prefix)
    }

    /// The shards that stand at these tasks of a map stage, or at these positions in what another stage made.
    func shards(_ range: Range<Int>, on port: String) -> [Shard] {
        guard isMap else { return Array(outputs[port]?.shards[range] ?? []) }
        var shards: [Shard] = []
        shards.reserveCapacity(range.count)
        for task in range { if let shard = shard(of: task, on: port) { shards.append(shard) } }
        return shards
    }
}
