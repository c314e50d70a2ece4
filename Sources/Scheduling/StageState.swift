import CanonicalJSON
import ContentStore
import StageGraph

/// An action in the state machine: 56 bytes, because a run holds one for every shard of every map stage.
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

    private struct Facts: OptionSet {
        let rawValue: UInt8
        static let isRestoring = Facts(rawValue: 1)
        static let isExecuted = Facts(rawValue: 2)
        static let hasKey = Facts(rawValue: 4)
        static let hasCounts = Facts(rawValue: 8)
    }

    // In this order the fields leave no gaps.
    let prefix: ShardPrefix
    var status = Status.waiting
    private var facts: Facts = []
    /// Upstream tasks and whole artifacts that are still missing.
    var pending: Int32
    private var keyIfKnown = TaskState.noKey
    private var recordsIn: UInt32 = 0
    private var recordsOut: UInt32 = 0

    private static let noKey = Digest(of: "")

    init(prefix: ShardPrefix, pending: Int32) {
        self.prefix = prefix
        self.pending = pending
    }

    var key: Digest? {
        get { facts.contains(.hasKey) ? keyIfKnown : nil }
        set {
            self[.hasKey] = newValue != nil
            keyIfKnown = newValue ?? TaskState.noKey
        }
    }

    /// It was done before and runs again, because something reads content of its that is gone.
    var isRestoring: Bool {
        get { self[.isRestoring] }
        set { self[.isRestoring] = newValue }
    }

    /// This run executed it, as against found it in the cache.
    var isExecuted: Bool {
        get { self[.isExecuted] }
        set { self[.isExecuted] = newValue }
    }

    /// What became of its records; nil until it is done, and where that does not fit in here: see
    /// ``StageState/accounting(of:)``.
    var counts: Accounting? {
        facts.contains(.hasCounts) ? Accounting(recordsIn: Int(recordsIn), recordsOut: Int(recordsOut)) : nil
    }

    /// Returns whether there is room for it: nothing dropped, and numbers of 32 bits.
    mutating func setCounts(_ accounting: Accounting) -> Bool {
        guard accounting.dropped.isEmpty, accounting.costs.isEmpty,
            let recordsIn = UInt32(exactly: accounting.recordsIn),
            let recordsOut = UInt32(exactly: accounting.recordsOut)
        else { return false }
        (self.recordsIn, self.recordsOut) = (recordsIn, recordsOut)
        self[.hasCounts] = true
        return true
    }

    private subscript(fact: Facts) -> Bool {
        get { facts.contains(fact) }
        set { if newValue { facts.insert(fact) } else { facts.remove(fact) } }
    }
}

/// The shards of one output that a map stage's tasks have made, by task.
struct MadeShards {
    /// Where a task has made none yet, any shard.
    private var shards: [Shard]
    private var isMade: [Bool]
    private var count = 0

    init(first shard: Shard, tasks: Int) {
        shards = Array(repeating: shard, count: tasks)
        isMade = Array(repeating: false, count: tasks)
    }

    mutating func set(_ shard: Shard, of task: Int) {
        shards[task] = shard
        count += isMade[task] ? 0 : 1
        isMade[task] = true
    }

    func shard(of task: Int) -> Shard? { isMade[task] ? shards[task] : nil }

    /// All of them, in the order of the tasks. Where every task has made one, this is no copy.
    var all: [Shard] {
        count == shards.count ? shards : zip(shards, isMade).lazy.filter(\.1).map(\.0)
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
    /// What became of the records of those tasks in which there is no room for it.
    private var unusualAccounting: [Int: Accounting] = [:]
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

    /// Keeps what became of the records of a map stage's task, without its costs.
    mutating func setAccounting(_ accounting: Accounting, of task: Int) {
        var accounting = accounting
        accounting.costs = [:]
        if !tasks![task].setCounts(accounting) { unusualAccounting[task] = accounting }
    }

    /// What became of the records of a map stage's task, without costs; nil until it is done.
    func accounting(of task: Int) -> Accounting? { tasks![task].counts ?? unusualAccounting[task] }

    var signature: StageSignature { node.signature }
    var isMap: Bool { signature.granularity == .map }
    var isFinished: Bool { phase == .complete || phase == .failed }

    /// The shard that a task of a map stage made on an output, if it is done and wrote any record. O(log tasks).
    func shard(of task: Int, on port: String) -> Shard? {
        let prefix = tasks![task].prefix
        return outputs[port].map { $0.shard(at: prefix) } ?? made[port]?.shard(of: task)
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
