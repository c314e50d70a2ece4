import CanonicalJSON
import ContentStore
import StageGraph

/// The scheduler as a pure state machine: events in, effects out, no clock, no I/O, no threads.
///
/// A stage's actions are known once the partitions of its sharded inputs are, so shards flow through a chain of map
/// stages without waiting for each other. A stage all of whose inputs are complete before any of its actions was
/// looked up is looked up as a whole first, which is what makes a rerun without changes cost a lookup a stage.
struct RunMachine {
    enum Mode {
        case run
        /// Nothing is executed: actions that miss end as ``TaskState/Status/wouldRun``.
        case plan
    }

    /// Work for the executor. Each effect is answered by exactly one event.
    enum Effect {
        case hashSources(stage: Int)
        case lookUpMemo(stage: Int, ActionPreimage)
        case lookUp(ActionID, ActionPreimage)
        case run(ActionID, ActionPreimage)
        /// Publish the artifacts and the memo of a stage.
        case complete(stage: Int, ActionPreimage?, outputs: [String: Artifact])
    }

    enum Event {
        case sourcesHashed(stage: Int, sources: [ActionPreimage.Input], programs: [ActionPreimage.Input])
        case memoLookedUp(stage: Int, StageOutcome?)
        case lookedUp(ActionID, ActionOutcome?)
        case ran(ActionID, ActionOutcome)
        /// Another process finished the action while this one waited to run it.
        case found(ActionID, ActionOutcome)
        case completed(stage: Int)
        /// A stage as a whole cannot go on.
        case stageFailed(stage: Int)
        case actionFailed(ActionID)
    }

    let mode: Mode
    let slots: Int
    let keepGoing: Bool
    private(set) var stages: [StageState]
    /// Effects whose events are still to come.
    private(set) var outstanding = 0
    private(set) var isStopping = false
    private var usedSlots = 0
    private var ready: ReadyQueue<ActionID>
    private var effects: [Effect] = []

    init(_ pipeline: Pipeline, mode: Mode, slots: Int, keepGoing: Bool = false) {
        self.mode = mode
        self.slots = max(1, slots)
        self.keepGoing = keepGoing
        ready = ReadyQueue()
        let index = Dictionary(uniqueKeysWithValues: pipeline.stages.enumerated().map { ($0.element.name, $0.offset) })
        stages = pipeline.stages.map { node in
            StageState(
                node: node,
                inputs: node.inputs.map { binding in
                    StageState.Input(
                        binding: binding, source: index[binding.source.stage]!,
                        isSharded: node.signature.granularity == .map && binding.port.distribution == .sharded)
                })
        }
        for stage in stages.indices.reversed() {
            for (input, resolved) in stages[stage].inputs.enumerated() {
                stages[resolved.source].dependents.append((stage, input))
                stages[resolved.source].height = max(stages[resolved.source].height, stages[stage].height + 1)
            }
        }
    }

    /// Nothing is under way and nothing more will start.
    var isFinished: Bool { outstanding == 0 }

    mutating func start() -> [Effect] {
        for stage in stages.indices { emit(.hashSources(stage: stage)) }
        return drain()
    }

    /// Starts no further action; what runs may finish.
    mutating func stop() { isStopping = true }

    mutating func handle(_ event: Event) -> [Effect] {
        outstanding -= 1
        switch event {
        case .sourcesHashed(let stage, let sources, let programs):
            stages[stage].sources = sources
            stages[stage].programs = programs
            openIfPossible(stage)
        case .memoLookedUp(let stage, let outcome):
            stages[stage].phase = .open
            if let outcome { adopt(outcome, stage) } else { lookUpReadyTasks(stage) }
        case .lookedUp(let id, let outcome):
            if let outcome {
                stages[id.stage].cached += 1
                finish(id, outcome)
            } else if mode == .plan {
                stages[id.stage].tasks![id.task].status = .wouldRun
            } else {
                stages[id.stage].tasks![id.task].status = .ready
                ready.insert(id, priority: priority(id))
            }
        case .ran(let id, let outcome):
            usedSlots -= occupied(id.stage)
            stages[id.stage].executed += 1
            stages[id.stage].seconds += outcome.seconds
            finish(id, outcome)
        case .found(let id, let outcome):
            usedSlots -= occupied(id.stage)
            stages[id.stage].cached += 1
            finish(id, outcome)
        case .completed(let stage):
            stages[stage].phase = .complete
            announce(stage)
        case .stageFailed(let stage):
            fail(stage)
        case .actionFailed(let id):
            if stages[id.stage].tasks![id.task].status == .running { usedSlots -= occupied(id.stage) }
            stages[id.stage].tasks![id.task].status = .failed
            fail(id.stage)
        }
        return drain()
    }
}

// MARK: - Opening stages

extension RunMachine {
    /// Creates a stage's tasks once the partitions of its sharded inputs are known.
    private mutating func openIfPossible(_ stage: Int) {
        guard stages[stage].phase == .waiting, stages[stage].sources != nil else { return }
        if stages[stage].tasks == nil {
            guard makeTasks(stage) else { return }
            // The partition of this stage is news to the map stages behind it.
            for dependent in stages[stage].dependents where stages[dependent.stage].inputs[dependent.input].isSharded {
                openIfPossible(dependent.stage)
            }
        }
        lookUp(stage)
    }

    private mutating func makeTasks(_ stage: Int) -> Bool {
        let state = stages[stage]
        let sharded = state.inputs.filter(\.isSharded)
        guard sharded.allSatisfy({ partition(of: $0) != nil }) else { return false }
        let partitions = sharded.map { partition(of: $0)! }
        let prefixes = state.isMap ? Partition.coarsening(of: partitions) : [ShardPrefix.root]
        let whole = state.inputs.filter { !$0.isSharded && stages[$0.source].phase != .complete }.count
        var tasks = prefixes.map {
            TaskState(prefix: $0, pending: whole, shards: Array(repeating: [], count: sharded.count))
        }
        for (position, input) in sharded.enumerated() {
            let route = Self.route(from: partitions[position], to: prefixes)
            stages[stage].routes.append(route)
            let source = stages[input.source]
            for (upstream, task) in route.enumerated() {
                if source.phase == .complete && !source.isMap {
                    tasks[task].shards[position].append(source.outputs[input.binding.source.output]!.shards[upstream])
                } else if source.tasks![upstream].status == .done {
                    if let shard = source.tasks![upstream].outputs[input.binding.source.output] {
                        tasks[task].shards[position].append(shard)
                    }
                } else {
                    tasks[task].pending += 1
                }
            }
        }
        stages[stage].tasks = tasks
        stages[stage].unfinishedTasks = tasks.count
        return true
    }

    /// The prefixes an input may arrive in; nil while unknown.
    private func partition(of input: StageState.Input) -> [ShardPrefix]? {
        let source = stages[input.source]
        if source.isMap { return source.tasks?.map(\.prefix) }
        return source.phase == .complete ? source.outputs[input.binding.source.output]!.shards.map(\.prefix) : nil
    }

    /// For each of the finer, sorted prefixes the index of the coarser one above it. O(n + m).
    private static func route(from fine: [ShardPrefix], to coarse: [ShardPrefix]) -> [Int] {
        var position = 0
        return fine.map { prefix in
            while !coarse[position].isPrefix(of: prefix) { position += 1 }
            return position
        }
    }

    /// Looks a stage up: as a whole when everything it needs is there, else the actions that can be decided.
    private mutating func lookUp(_ stage: Int) {
        guard stages[stage].phase == .waiting else { return }
        let isComplete = stages[stage].inputs.allSatisfy { stages[$0.source].phase == .complete }
        if stages[stage].isMap && isComplete {
            stages[stage].phase = .lookingUpMemo
            let preimage = memoPreimage(stage)
            stages[stage].key = preimage.key
            emit(.lookUpMemo(stage: stage, preimage))
        } else if stages[stage].tasks!.contains(where: { $0.pending == 0 }) {
            stages[stage].phase = .open
            lookUpReadyTasks(stage)
        }
    }

    private mutating func lookUpReadyTasks(_ stage: Int) {
        for task in stages[stage].tasks!.indices { lookUpIfReady(ActionID(stage: stage, task: task)) }
        completeIfDone(stage)
    }

    private mutating func lookUpIfReady(_ id: ActionID) {
        // No copy of the stage may be alive here: mutating its tasks would copy them all.
        guard stages[id.stage].tasks![id.task].pending == 0, stages[id.stage].tasks![id.task].status == .waiting
        else { return }
        if stages[id.stage].isMap && stages[id.stage].tasks![id.task].shards.allSatisfy(\.isEmpty) {
            stages[id.stage].tasks![id.task].isVacant = true
            finish(id, ActionOutcome(outputs: [:], accounting: Accounting(), seconds: 0))
            return
        }
        let preimage = actionPreimage(id)
        stages[id.stage].tasks![id.task].preimage = preimage
        stages[id.stage].tasks![id.task].key = preimage.key
        stages[id.stage].tasks![id.task].status = .lookingUp
        emit(.lookUp(id, preimage))
    }
}

// MARK: - Results

extension RunMachine {
    private mutating func finish(_ id: ActionID, _ outcome: ActionOutcome) {
        stages[id.stage].tasks![id.task].status = .done
        stages[id.stage].tasks![id.task].preimage = nil
        stages[id.stage].accounting += outcome.accounting
        stages[id.stage].unfinishedTasks -= 1
        if stages[id.stage].isMap {
            for (name, output) in outcome.outputs {
                if case .shard(let shard?) = output { stages[id.stage].tasks![id.task].outputs[name] = shard }
            }
            // Before the shards are delivered: a stage behind may finish on the spot and ask for these artifacts.
            if stages[id.stage].unfinishedTasks == 0 { assembleOutputs(id.stage) }
            deliver(id)
            completeIfDone(id.stage)
        } else {
            for (name, output) in outcome.outputs {
                if case .artifact(let artifact) = output { stages[id.stage].outputs[name] = artifact }
            }
            stages[id.stage].key = stages[id.stage].tasks![id.task].key
            stages[id.stage].phase = .completing
            emit(.complete(stage: id.stage, nil, outputs: stages[id.stage].outputs))
        }
    }

    /// Takes over a stage found finished as a whole.
    private mutating func adopt(_ outcome: StageOutcome, _ stage: Int) {
        stages[stage].outputs = outcome.outputs
        stages[stage].accounting = outcome.accounting
        stages[stage].cached = outcome.actions
        stages[stage].unfinishedTasks = 0
        for (name, artifact) in outcome.outputs {
            var task = 0
            for shard in artifact.shards {
                while stages[stage].tasks![task].prefix != shard.prefix { task += 1 }
                stages[stage].tasks![task].outputs[name] = shard
            }
        }
        for task in stages[stage].tasks!.indices {
            stages[stage].tasks![task].status = .done
            deliver(ActionID(stage: stage, task: task))
        }
        stages[stage].phase = .complete
        announce(stage)
    }

    /// Hands a finished action's shards to the map stages behind it.
    private mutating func deliver(_ id: ActionID) {
        for (dependent, input) in stages[id.stage].dependents {
            let resolved = stages[dependent].inputs[input]
            guard resolved.isSharded, stages[dependent].tasks != nil else { continue }
            let position = stages[dependent].inputs[..<input].count(where: \.isSharded)
            let task = stages[dependent].routes[position][id.task]
            if let shard = stages[id.stage].tasks![id.task].outputs[resolved.binding.source.output] {
                stages[dependent].tasks![task].shards[position].append(shard)
                stages[dependent].tasks![task].shards[position].sort { $0.prefix < $1.prefix }
            }
            stages[dependent].tasks![task].pending -= 1
            touch(dependent, task)
        }
    }

    /// Tells the dependents that a stage's artifacts are complete.
    private mutating func announce(_ stage: Int) {
        for (dependent, input) in stages[stage].dependents {
            if !stages[dependent].inputs[input].isSharded, stages[dependent].tasks != nil {
                for task in stages[dependent].tasks!.indices { stages[dependent].tasks![task].pending -= 1 }
            }
            if stages[dependent].tasks == nil || stages[dependent].phase == .waiting {
                openIfPossible(dependent)
            } else if stages[dependent].phase == .open {
                lookUpReadyTasks(dependent)
            }
        }
    }

    private mutating func touch(_ stage: Int, _ task: Int) {
        guard stages[stage].tasks![task].pending == 0 else { return }
        switch stages[stage].phase {
        case .waiting:
            // The source's completion is about to be announced: leave the stage to be looked up as a whole then.
            let isLast = stages[stage].inputs.allSatisfy {
                stages[$0.source].phase == .complete || stages[$0.source].unfinishedTasks == 0
            }
            if !isLast { lookUp(stage) }
        case .open: lookUpIfReady(ActionID(stage: stage, task: task))
        default: break
        }
    }

    private mutating func completeIfDone(_ stage: Int) {
        guard stages[stage].isMap, stages[stage].phase == .open, stages[stage].unfinishedTasks == 0 else { return }
        if stages[stage].outputs.isEmpty { assembleOutputs(stage) }
        stages[stage].phase = .completing
        // Sharded inputs may still be publishing their artifacts; the memo needs their digests only.
        let preimage = memoPreimage(stage)
        stages[stage].key = preimage.key
        emit(.complete(stage: stage, preimage, outputs: stages[stage].outputs))
    }

    private mutating func assembleOutputs(_ stage: Int) {
        do {
            for port in stages[stage].signature.outputs {
                stages[stage].outputs[port.name] = try Artifact(
                    type: port.type, shards: stages[stage].tasks!.compactMap { $0.outputs[port.name] })
            }
        } catch {
            stages[stage].problem = "\(error)"
            fail(stage)
        }
    }

    private mutating func fail(_ stage: Int) {
        stages[stage].phase = .failed
        if !keepGoing { isStopping = true }
    }
}

// MARK: - Slots

extension RunMachine {
    private func occupied(_ stage: Int) -> Int { min(slots, max(1, stages[stage].node.stage.slots)) }

    /// Longest chain of dependents first, then the order of the file.
    private func priority(_ id: ActionID) -> ReadyPriority {
        ReadyPriority(height: stages[id.stage].height, stage: id.stage, task: id.task)
    }

    private mutating func emit(_ effect: Effect) {
        outstanding += 1
        effects.append(effect)
    }

    private mutating func drain() -> [Effect] {
        while !isStopping, let id = ready.first, usedSlots + occupied(id.stage) <= slots {
            ready.removeFirst()
            usedSlots += occupied(id.stage)
            stages[id.stage].tasks![id.task].status = .running
            emit(.run(id, stages[id.stage].tasks![id.task].preimage!))
        }
        defer { effects = [] }
        return effects
    }
}
