import CanonicalJSON
import ContentStore
import Dispatch
import StageGraph
import Synchronization

/// One run or planning of a pipeline: carries out the machine's effects on Dispatch and feeds the events back.
final class Run: Sendable {
    struct State {
        var machine: RunMachine
        var failures: [RunFailure] = []
        /// Planning only: why actions would run.
        var reasons: [ActionID: [Reason]] = [:]
        /// Actions whose result is there but cannot be decided by.
        var lost: [ActionID: Reason] = [:]
        var tasks: [ActionID: Task<Void, Never>] = [:]
        /// Of actions that waited for another process and have not started yet.
        var leases: [ActionID: ActionLease] = [:]
        var reported: Set<Int> = []
        /// Blobs that actions found gone or damaged: each is made again once in a run.
        var lostInputs: Set<Digest> = []
        /// What was executed before the pipeline had to be decided anew, by stage.
        var earlier: [Int: ExecutedBefore] = [:]
        /// The first task of each stage whose inputs have not been asked for ahead.
        var fetchedAhead: [Int: Int] = [:]
        var isCancelled = false
        var continuation: CheckedContinuation<Void, Never>?
    }

    struct ExecutedBefore {
        var actions = 0
        var seconds = 0.0
        var costs = Accounting()
    }

    let pipeline: Pipeline
    let mode: RunMachine.Mode
    let store: LocalStore
    let options: Engine.Options
    let sources: SourceFiles
    let trees: TreeCheckouts
    let explainer: Explainer
    let observer: @Sendable (RunEvent) -> Void
    let state: Mutex<State>
    /// What is left of the last runs of map stages, by stage, once it has been asked for.
    let earlier = Mutex<[Int: EarlierActions?]>([:])
    /// The stages whose memos this run has published.
    let published = Mutex<Set<Int>>([])

    let unfinished: UnfinishedRun

    /// The keys of the actions behind each memo that this run has published.
    var publishedActions: [Digest: [Digest]] {
        let published = published.withLock { $0 }
        return state.withLock { state in
            var actions: [Digest: [Digest]] = [:]
            for index in published {
                let stage = state.machine.stages[index]
                if let key = stage.key { actions[key] = stage.tasks?.compactMap(\.key) }
            }
            return actions
        }
    }

    /// Lookups, hashing and publishing.
    let queue = DispatchQueue(label: "retort.store", attributes: .concurrent)
    let executor = DispatchTaskExecutor()

    init(
        _ pipeline: Pipeline, mode: RunMachine.Mode, engine: Engine, history: RunHistory,
        observer: @escaping @Sendable (RunEvent) -> Void
    ) throws {
        self.pipeline = pipeline
        self.mode = mode
        self.observer = observer
        store = engine.store
        options = engine.options
        sources = try SourceFiles(store: engine.store)
        trees = TreeCheckouts(store: engine.store)
        unfinished = UnfinishedRun(pipeline.name, interval: engine.options.rootInterval)
        explainer = Explainer(history: history, store: engine.store, sources: sources)
        state = Mutex(State(machine: Run.machine(pipeline, mode, engine.options, history)))
    }

    private static func machine(
        _ pipeline: Pipeline, _ mode: RunMachine.Mode, _ options: Engine.Options, _ history: RunHistory
    ) -> RunMachine {
        var machine = RunMachine(
            pipeline, mode: mode, limits: options.limits, keepGoing: options.keepGoing, weights: history.seconds)
        machine.publishingWindow = min(machine.publishingWindow, FileHandles.forLeases)
        return machine
    }

    func execute() async -> RunReport {
        let clock = ContinuousClock()
        let start = clock.now
        repeat {
            await decideAndRun()
            releaseLeases()
        } while startOver()
        store.stopFetchingAhead()
        sources.save()
        trees.remove()
        return report(seconds: (clock.now - start).seconds)
    }

    private func decideAndRun() async {
        await withCheckedContinuation { continuation in
            let effects = state.withLock { state in
                state.continuation = continuation
                return state.machine.start()
            }
            perform(effects)
            resumeIfFinished()
        }
    }

    /// After an action did not reproduce its lost content: decides the whole pipeline again by what it gave now. What was
    /// executed is in the cache, so each round goes further than the one before.
    private func startOver() -> Bool {
        // Content that was gone has been made again.
        earlier.withLock { $0 = [:] }
        published.withLock { $0 = [] }
        return state.withLock { state in
            guard state.machine.hasDiverged, !state.isCancelled, options.keepGoing || state.failures.isEmpty else {
                return false
            }
            for (index, stage) in state.machine.stages.enumerated() {
                var before = state.earlier[index] ?? ExecutedBefore()
                before.actions += stage.executed
                before.seconds += stage.seconds
                before.costs += Accounting(costs: stage.accounting.costs)
                state.earlier[index] = before
            }
            state.fetchedAhead = [:]
            state.machine = Run.machine(pipeline, mode, options, explainer.history)
            return true
        }
    }

    /// Starts nothing more and cancels what runs.
    func cancel() {
        let tasks = state.withLock { state in
            state.isCancelled = true
            // What it asks to be abandoned is among the tasks.
            _ = state.machine.stop()
            return Array(state.tasks.values)
        }
        store.stopFetchingAhead()
        for task in tasks { task.cancel() }
        options.alarm.set(Run.grace) { [self] in takeContinuation()?.resume() }
    }

    /// How long a cancelled run waits for its actions. Then it ends without them: no action is ever half done, and what
    /// they start does not outlive the program.
    static let grace = Duration.milliseconds(1500)

    private func takeContinuation() -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
    }
}

extension Run {
    /// Whether the user wants a stage's actions to run although their results are known.
    func isRefreshed(_ stage: Int) -> Bool { options.refreshed.contains(pipeline.stages[stage].name) }
}

// MARK: - Effects

extension Run {
    /// Lookups that are handed to one block, so that a thousand of them do not cost a thousand queue operations.
    private static let lookupsPerBlock = 128

    private func perform(_ effects: [RunMachine.Effect]) {
        var lookups: [(ActionID, ActionPreimage)] = []
        func flush() {
            guard !lookups.isEmpty else { return }
            let batch = lookups
            lookups = []
            queue.async { [self] in lookUp(batch) }
        }
        for effect in effects {
            switch effect {
            case .lookUp(let id, let preimage):
                lookups.append((id, preimage))
                if lookups.count == Run.lookupsPerBlock { flush() }
            case .hashSources(let stage): queue.async { [self] in hashSources(stage) }
            case .lookUpMemo(let stage, let preimage): queue.async { [self] in lookUpMemo(stage, preimage) }
            case .run(let id, let preimage): start(id, preimage)
            case .abandon(let id): state.withLock { $0.tasks[id] }?.cancel()
            case .complete(let stage, let preimage, let outputs):
                queue.async { [self] in complete(stage, preimage, outputs) }
            }
        }
        flush()
    }

    func send(_ events: [RunMachine.Event]) {
        let (effects, finished) = state.withLock { state in
            let effects = events.flatMap { state.machine.handle($0) }
            return (effects, takeFinishedStages(&state))
        }
        for stage in finished { observer(.stageFinished(stage)) }
        perform(effects)
        resumeIfFinished()
    }

    private func resumeIfFinished() {
        if state.withLock({ $0.machine.isFinished }) { takeContinuation()?.resume() }
    }

    private func takeFinishedStages(_ state: inout State) -> [StageReport] {
        guard mode == .run else { return [] }
        return state.machine.stages.indices.compactMap { index in
            guard state.machine.stages[index].phase == .complete, state.reported.insert(index).inserted else {
                return nil
            }
            return report(index, state)
        }
    }

    /// A stage as a whole, or one of its actions, cannot go on.
    func fail(_ stage: Int, _ action: (id: ActionID, prefix: ShardPrefix)?, _ error: any Error) {
        let isCancellation = error is CancellationError || state.withLock { $0.isCancelled }
        if !isCancellation {
            let records = (error as? RecordFailure).map { RecordSample($0.records) }
            let failure = RunFailure(
                stage: pipeline.stages[stage].name, prefix: action?.prefix,
                records: records ?? action.flatMap { recordsRead(by: $0.id) }, message: "\(error)")
            state.withLock { $0.failures.append(failure) }
            observer(.actionFailed(failure))
        }
        send([action.map { .actionFailed($0.id) } ?? .stageFailed(stage: stage)])
    }

    /// The records of a map stage's shard, for the report of its failure; nil where there is no shard.
    private func recordsRead(by id: ActionID) -> RecordSample? {
        let (inputs, stage) = state.withLock { state -> ([[Shard]], StageState) in
            let stage = state.machine.stages[id.stage]
            return (stage.routes.indices.map { state.machine.shards(readBy: id, at: $0) }, stage)
        }
        guard stage.isMap, let position = inputs.firstIndex(where: { !$0.isEmpty }) else { return nil }
        let count = inputs[position].reduce(0) { $0 + $1.records }
        let binding = stage.shardedInputs[position].binding
        let source = pipeline.stage(binding.source.stage)?.signature.output(binding.source.output)
        // The failure is reported all the same where the shard cannot be read: it may be the very reason.
        guard source?.layout == .records, let bytes = try? store.read(inputs[position][0]),
            let records = try? CanonicalRecords.decode(bytes)
        else { return RecordSample(ids: [], count: count) }
        return RecordSample(ids: records.lazy.compactMap { $0["id"]?.string }, count: count)
    }

    func prefix(_ id: ActionID) -> ShardPrefix { prefixes([id])[0] }

    func prefixes(_ ids: [ActionID]) -> [ShardPrefix] {
        state.withLock { state in ids.map { state.machine.stages[$0.stage].tasks![$0.task].prefix } }
    }
}
