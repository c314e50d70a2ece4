import CanonicalJSON
import ContentStore
import StageGraph

/// The scheduler as a pure state machine: events in, effects out, no clock, no I/O, no threads.
///
/// A stage's actions are known once the partitions of its sharded inputs are, so shards flow through a chain of map
/// stages without waiting for each other. A stage all of whose inputs are complete before any of its actions was
/// looked up is looked up as a whole first, which is what makes a rerun without changes cost a lookup a stage.
///
/// Actions are decided by digests alone. Content that is recorded but gone is made again only when an action that has to
/// run reads it, or when the run is for it.
struct RunMachine {
    enum Mode {
        case run
        /// Nothing is executed: actions that miss end as ``TaskState/Status/wouldRun``.
        case plan
    }

    /// Work for the executor. Each effect is answered by exactly one event, but for ``abandon``.
    enum Effect {
        case hashSources(stage: Int)
        case lookUpMemo(stage: Int, ActionPreimage)
        case lookUp(ActionID, ActionPreimage)
        case run(ActionID, ActionPreimage)
        /// Stop waiting for another process's action. Answered by the event that answers ``run``.
        case abandon(ActionID)
        /// Publish the artifacts and the memo of a stage.
        case complete(stage: Int, ActionPreimage?, outputs: [String: Artifact])
    }

    enum Event {
        case sourcesHashed(stage: Int, sources: [ActionPreimage.Input], programs: [ActionPreimage.Input])
        case memoLookedUp(stage: Int, StageOutcome?)
        case lookedUp(ActionID, ActionOutcome?)
        /// The action has computed its outputs; its result is on its way to the disk. No answer to an effect: ``ran`` or
        /// ``actionFailed`` is still to come.
        case produced(ActionID)
        case ran(ActionID, ActionOutcome)
        /// Another process is running the action. No answer to an effect: this one waits for it and occupies nothing
        /// meanwhile; ``found``, ``released`` or ``actionFailed`` is still to come.
        case heldElsewhere(ActionID)
        /// Another process finished the action while this one waited to run it.
        case found(ActionID, ActionOutcome)
        /// The wait for another process is over, without a result: the action runs here, in its turn.
        case released(ActionID)
        /// An action found these blobs of its inputs gone or damaged. It runs again once they are made again.
        case inputsLost(ActionID, [Digest])
        case completed(stage: Int)
        /// A stage as a whole cannot go on.
        case stageFailed(stage: Int)
        case actionFailed(ActionID)
    }

    /// Lookups under way at a time, so that their effects take bounded memory however many shards there are.
    static let lookupWindow = 4096

    /// Results on their way to the disk before no further action starts, for the same reason. Each holds its lease, a file
    /// handle.
    var publishingWindow = 1024

    let mode: Mode
    let limits: Resources
    let keepGoing: Bool
    var stages: [StageState]
    /// Effects whose events are still to come.
    private(set) var outstanding = 0
    private(set) var isStopping = false
    /// An action that was run again for its lost content gave other content, so that what hangs on it was decided by a
    /// digest that no longer holds. Nothing more starts; the pipeline has to be decided anew.
    var hasDiverged = false
    /// Content that results name and that is not to be had.
    var absent: Set<Digest> = []
    /// What actions read and has to be made again before they run; none of the sets is empty.
    var lacking: [ActionID: Set<Digest>] = [:]
    /// Actions that wait for such content.
    var waiters: [Digest: [ActionID]] = [:]
    private(set) var used = Resources(cpuSlots: 0)
    private var publishing = 0
    /// Actions that another process runs, in the order in which that was seen.
    private var heldElsewhere: [ActionID] = []
    private var ready = ReadyActions()
    private var lookups: [ActionID] = []
    private var nextLookup = 0
    private var outstandingLookups = 0
    private var effects: [Effect] = []

    /// - Parameter weights: Seconds an action of a stage took last time, by the name of the stage.
    init(
        _ pipeline: Pipeline, mode: Mode, limits: Resources, keepGoing: Bool = false, weights: [String: Double] = [:]
    ) {
        var limits = limits
        limits.cpuSlots = max(1, limits.cpuSlots)
        self.mode = mode
        self.limits = limits
        self.keepGoing = keepGoing || mode == .plan
        let index = Dictionary(uniqueKeysWithValues: pipeline.stages.enumerated().map { ($0.element.name, $0.offset) })
        let wanted = pipeline.wantedOutputs
        // A stage without a time counts as an average one; without any times, the longest chain is the deepest.
        let average = weights.isEmpty ? 1 : weights.values.reduce(0, +) / Double(weights.count)
        stages = pipeline.stages.map { node in
            var state = StageState(
                node: node,
                inputs: node.inputs.map { binding in
                    StageState.Input(
                        binding: binding, source: index[binding.source.stage]!,
                        isSharded: node.signature.granularity == .map && binding.port.distribution == .sharded)
                })
            state.needs = node.stage.resources.clamped(to: limits)
            state.reach = weights[node.name] ?? average
            state.wanted = wanted[node.name] ?? []
            return state
        }
        for stage in stages.indices.reversed() {
            for (input, resolved) in stages[stage].inputs.enumerated() {
                stages[resolved.source].dependents.append((stage, input))
            }
            let behind = stages[stage].dependents.map { stages[$0.stage].reach }
            stages[stage].reach += behind.max() ?? 0
        }
    }

    /// Nothing is under way and nothing more will start.
    var isFinished: Bool { outstanding == 0 }

    /// Every stage is complete, and all content the run is for is there.
    var isComplete: Bool {
        !hasDiverged && stages.allSatisfy { $0.phase == .complete && $0.unrestoredTasks == 0 }
    }

    mutating func start() -> [Effect] {
        for stage in stages.indices { emit(.hashSources(stage: stage)) }
        return drain()
    }

    /// Starts no further action; what runs may finish.
    mutating func stop() -> [Effect] {
        isStopping = true
        return drain()
    }

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
            outstandingLookups -= 1
            if let outcome {
                stages[id.stage].cached += 1
                absent.formUnion(outcome.missing)
                finish(id, outcome)
                if !outcome.missing.isEmpty { restoreIfWanted(id) }
            } else {
                require(id)
            }
        case .produced(let id):
            outstanding += 1
            leave(id, for: .publishing)
            publishing += 1
        case .ran(let id, let outcome):
            leave(id, for: .done)
            finishRun(id, outcome, isExecuted: true)
        case .heldElsewhere(let id):
            outstanding += 1
            leave(id, for: .heldElsewhere)
            heldElsewhere.append(id)
        case .released(let id):
            leave(id, for: .ready)
            makeReady(id)
        case .found(let id, let outcome):
            leave(id, for: .done)
            finishRun(id, outcome, isExecuted: false)
        case .inputsLost(let id, let digests):
            leave(id, for: .blocked)
            absent.formUnion(digests)
            require(id)
        case .completed(let stage):
            stages[stage].phase = .complete
            announce(stage)
        case .stageFailed(let stage):
            fail(stage)
        case .actionFailed(let id):
            leave(id, for: .failed)
            fail(id.stage)
        }
        return drain()
    }

    /// Changes the status of an action, giving back what it occupied in the old one.
    private mutating func leave(_ id: ActionID, for status: TaskState.Status) {
        switch stages[id.stage].tasks![id.task].status {
        case .running: used -= stages[id.stage].needs
        case .publishing: publishing -= 1
        case .lookingUp: outstandingLookups -= 1
        case .heldElsewhere: heldElsewhere.removeAll { $0 == id }
        default: break
        }
        stages[id.stage].tasks![id.task].status = status
    }

    mutating func fail(_ stage: Int) {
        stages[stage].phase = .failed
        if !keepGoing { isStopping = true }
    }
}

// MARK: - Effects

extension RunMachine {
    mutating func emit(_ effect: Effect) {
        outstanding += 1
        effects.append(effect)
    }

    /// Asks the cache about an action, in its turn.
    mutating func emitLookUp(_ id: ActionID) {
        stages[id.stage].tasks![id.task].status = .lookingUp
        lookups.append(id)
    }

    /// Starts an action, once there are resources for it.
    mutating func makeReady(_ id: ActionID) {
        stages[id.stage].tasks![id.task].status = .ready
        ready.insert(id, needs: stages[id.stage].needs, reach: stages[id.stage].reach)
    }

    private mutating func drain() -> [Effect] {
        if isStopping || hasDiverged {
            // Nobody is to wait for what would not be used.
            effects += heldElsewhere.map { .abandon($0) }
            heldElsewhere = []
        } else {
            while nextLookup < lookups.count, outstandingLookups < RunMachine.lookupWindow {
                let id = lookups[nextLookup]
                nextLookup += 1
                outstandingLookups += 1
                let preimage = actionPreimage(id)
                stages[id.stage].tasks![id.task].key = preimage.key
                emit(.lookUp(id, preimage))
            }
            if nextLookup == lookups.count {
                lookups.removeAll()
                nextLookup = 0
            }
            var free = limits
            free -= used
            while publishing < publishingWindow, let (id, needs) = ready.removeNext(free: free) {
                used += needs
                free -= needs
                stages[id.stage].tasks![id.task].status = .running
                emit(.run(id, actionPreimage(id)))
            }
        }
        defer { effects = [] }
        return effects
    }
}
