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
        var reasons: [ActionID: [Reason]] = [:]
        var lost: [ActionID: [Digest]] = [:]
        var tasks: [ActionID: Task<Void, Never>] = [:]
        var reported: Set<Int> = []
        var isCancelled = false
        var continuation: CheckedContinuation<Void, Never>?
    }

    let pipeline: Pipeline
    let mode: RunMachine.Mode
    private let store: LocalStore
    private let programs: [String: String]
    private let sources: SourceFiles
    private let trees: TreeCheckouts
    let explainer: Explainer
    private let observer: @Sendable (RunEvent) -> Void
    let state: Mutex<State>
    /// Lookups, hashing and publishing.
    private let queue = DispatchQueue(label: "retort.store", attributes: .concurrent)
    private let executor = DispatchTaskExecutor()

    init(
        _ pipeline: Pipeline, mode: RunMachine.Mode, engine: Engine, history: RunHistory,
        observer: @escaping @Sendable (RunEvent) -> Void
    ) throws {
        self.pipeline = pipeline
        self.mode = mode
        self.observer = observer
        store = engine.store
        programs = engine.options.programs
        sources = try SourceFiles(store: engine.store)
        trees = TreeCheckouts(store: engine.store)
        explainer = Explainer(history: history, store: engine.store)
        state = Mutex(
            State(
                machine: RunMachine(
                    pipeline, mode: mode, slots: engine.options.jobs, keepGoing: engine.options.keepGoing)))
    }

    func execute() async -> RunReport {
        let clock = ContinuousClock()
        let start = clock.now
        await withCheckedContinuation { continuation in
            let effects = state.withLock { state in
                state.continuation = continuation
                return state.machine.start()
            }
            perform(effects)
            resumeIfFinished()
        }
        sources.save()
        trees.remove()
        return report(seconds: (clock.now - start).seconds)
    }

    /// Starts nothing more and cancels what runs.
    func cancel() {
        let tasks = state.withLock { state in
            state.isCancelled = true
            state.machine.stop()
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }
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
            case .complete(let stage, let preimage, let outputs):
                queue.async { [self] in complete(stage, preimage, outputs) }
            }
        }
        flush()
    }

    private func send(_ events: [RunMachine.Event]) {
        let (effects, finished) = state.withLock { state in
            let effects = events.flatMap { state.machine.handle($0) }
            return (effects, takeFinishedStages(&state))
        }
        for stage in finished { observer(.stageFinished(stage)) }
        perform(effects)
        resumeIfFinished()
    }

    private func resumeIfFinished() {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.machine.isFinished else { return nil }
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }

    private func takeFinishedStages(_ state: inout State) -> [StageReport] {
        guard mode == .run else { return [] }
        return state.machine.stages.indices.compactMap { index in
            guard state.machine.stages[index].phase == .complete, state.reported.insert(index).inserted else {
                return nil
            }
            return report(state.machine.stages[index])
        }
    }

    private func fail(_ stage: Int, _ id: ActionID?, _ prefix: ShardPrefix?, _ error: any Error) {
        let name = pipeline.stages[stage].name
        let isCancellation = error is CancellationError || state.withLock { $0.isCancelled }
        let failure = RunFailure(stage: name, prefix: prefix, message: "\(error)")
        if !isCancellation {
            state.withLock { $0.failures.append(failure) }
            observer(.actionFailed(failure))
        }
        send([id.map { .actionFailed($0) } ?? .stageFailed(stage: stage)])
    }

    private func hashSources(_ stage: Int) {
        let node = pipeline.stages[stage]
        do {
            let hashed = try node.parameters.sources.map { source in
                ActionPreimage.Input(role: source.role, contents: [.init(digest: try sources.digest(of: source))])
            }
            let started = try node.signature.programs.map { name in
                guard let path = programs[name] else {
                    throw StageContractError(
                        description: "the program \(name) was not found next to retort; build both products")
                }
                return ActionPreimage.Input(role: name, contents: [.init(digest: try sources.digest(ofProgram: path))])
            }
            send([.sourcesHashed(stage: stage, sources: hashed, programs: started)])
        } catch {
            fail(stage, nil, nil, error)
        }
    }

    private func lookUpMemo(_ stage: Int, _ preimage: ActionPreimage) {
        let signature = pipeline.stages[stage].signature
        do {
            guard case .hit(let outputs) = try store.lookup(preimage.key) else {
                return send([.memoLookedUp(stage: stage, nil)])
            }
            let outcome = try ResultCoding.decodeMemo(
                outputs, signature: signature, partition: preimage.partition, store: store)
            send([.memoLookedUp(stage: stage, outcome)])
        } catch {
            fail(stage, nil, nil, error)
        }
    }

    private func lookUp(_ batch: [(ActionID, ActionPreimage)]) {
        let found: [ActionLookup]
        do {
            found = try store.lookup(batch.map(\.1.key))
        } catch {
            for (id, _) in batch { fail(id.stage, id, prefix(id), error) }
            return
        }
        var events: [RunMachine.Event] = []
        for ((id, preimage), lookup) in zip(batch, found) {
            let node = pipeline.stages[id.stage]
            let prefix = prefix(id)
            do {
                switch lookup {
                case .hit(let outputs):
                    let outcome = try ResultCoding.decode(
                        outputs, signature: node.signature, prefix: prefix, store: store)
                    events.append(.lookedUp(id, outcome))
                case .lost(let missing):
                    try explain(id, node, prefix, preimage, lost: missing)
                    events.append(.lookedUp(id, nil))
                case .unusable(let reason):
                    observer(.warning("stage \(node.name): a stored result is not used: \(reason)"))
                    try explain(id, node, prefix, preimage, lost: [])
                    events.append(.lookedUp(id, nil))
                case .miss:
                    try explain(id, node, prefix, preimage, lost: [])
                    events.append(.lookedUp(id, nil))
                }
            } catch {
                fail(id.stage, id, prefix, error)
            }
        }
        send(events)
    }

    private func prefix(_ id: ActionID) -> ShardPrefix {
        state.withLock { $0.machine.stages[id.stage].tasks![id.task].prefix }
    }

    private func explain(
        _ id: ActionID, _ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage, lost: [Digest]
    ) throws {
        let reasons = try explainer.reasons(node, prefix, preimage, lost: lost)
        state.withLock { $0.reasons[id] = reasons }
    }

    private func complete(_ stage: Int, _ preimage: ActionPreimage?, _ outputs: [String: Artifact]) {
        guard mode == .run, let preimage else { return send([.completed(stage: stage)]) }
        do {
            for artifact in outputs.values { try store.write(artifact) }
            let (outcome, keys) = state.withLock { state in
                let stage = state.machine.stages[stage]
                let keys = stage.tasks!.compactMap { task in task.key.map { (task.prefix.text, JSON.string($0.hex)) } }
                let outcome = StageOutcome(
                    outputs: outputs, accounting: stage.accounting, actions: stage.executed + stage.cached)
                return (outcome, keys)
            }
            let keyBlob = try store.write(JSON.object(JSONObject(keys)).canonicalBytes)
            try store.publish(
                ActionResult(
                    preimage: preimage.json, outputs: ResultCoding.encode(outcome, keys: keyBlob),
                    references: ResultCoding.references(outputs.values.map { .artifact($0) }) + [keyBlob]),
                for: preimage.key)
            send([.completed(stage: stage)])
        } catch {
            fail(stage, nil, nil, error)
        }
    }
}

// MARK: - Actions

extension Run {
    private func start(_ id: ActionID, _ preimage: ActionPreimage) {
        let task = Task(executorPreference: executor) { await self.run(id, preimage) }
        let isCancelled = state.withLock { state in
            // The action may be over already; then its task must not be kept.
            if state.machine.stages[id.stage].tasks![id.task].status == .running { state.tasks[id] = task }
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    private func run(_ id: ActionID, _ preimage: ActionPreimage) async {
        let node = pipeline.stages[id.stage]
        let (prefix, reasons) = state.withLock { state in
            (state.machine.stages[id.stage].tasks![id.task].prefix, state.reasons.removeValue(forKey: id) ?? [])
        }
        let clock = ContinuousClock()
        do {
            let lease = try store.lease(preimage.key) ?? store.awaitLease(preimage.key)
            if let outcome = try finishedElsewhere(node, prefix, preimage) {
                state.withLock { _ = $0.tasks.removeValue(forKey: id) }
                return send([.found(id, outcome)])
            }
            let start = clock.now
            observer(.actionStarted(stage: node.name, prefix: prefix, reasons: reasons))
            let scratch = try store.makeScratchDirectory()
            defer { scratch.remove() }
            let workspace = try workspace(id, node, prefix, preimage, scratch.path)
            let accounting = try await node.stage.run(workspace)
            try Task.checkCancellation()
            guard accounting.isBalanced else {
                throw StageContractError(
                    description: """
                        the stage type \(node.signature.name) took \(accounting.recordsIn) records and accounts for \
                        \(accounting.recordsOut) kept and \(accounting.dropped) dropped; this is a mistake in its code
                        """)
            }
            let seconds = (clock.now - start).seconds
            let outcome = ActionOutcome(
                outputs: try workspace.finish(), accounting: accounting, seconds: seconds)
            try publish(preimage, outcome) { [self] result in
                lease.release()
                state.withLock { _ = $0.tasks.removeValue(forKey: id) }
                switch result {
                case .success:
                    observer(.actionFinished(stage: node.name, prefix: prefix, seconds: seconds))
                    send([.ran(id, outcome)])
                case .failure(let error): fail(id.stage, id, prefix, error)
                }
            }
        } catch {
            state.withLock { _ = $0.tasks.removeValue(forKey: id) }
            fail(id.stage, id, prefix, error)
        }
    }

    /// The result that another process sharing the store published while this one waited for its turn.
    private func finishedElsewhere(
        _ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage
    ) throws -> ActionOutcome? {
        guard case .hit(let outputs) = try store.lookup(preimage.key) else { return nil }
        return try ResultCoding.decode(outputs, signature: node.signature, prefix: prefix, store: store)
    }

    /// The slot is given back when the result is durable; results that come close together share a flush.
    private func publish(
        _ preimage: ActionPreimage, _ outcome: ActionOutcome,
        completion: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) throws {
        let costs = JSONObject(outcome.accounting.costs.map { ($0.key, .integer(Int64($0.value))) })
        try store.submit(
            ActionResult(
                preimage: preimage.json, outputs: ResultCoding.encode(outcome),
                provenance: ["seconds": .number(outcome.seconds), "costs": .object(costs)],
                references: ResultCoding.references(outcome.outputs.values)),
            for: preimage.key, completion: completion)
    }

    private func workspace(
        _ id: ActionID, _ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage, _ scratch: String
    ) throws -> ActionWorkspace {
        let inputs = state.withLock { state in
            let stage = state.machine.stages[id.stage]
            var position = 0
            return stage.inputs.map { input -> (port: String, role: String, input: ActionWorkspace.Input) in
                let upstream = state.machine.stages[input.source]
                let layout = upstream.signature.output(input.binding.source.output)!.layout
                let (port, role) = (input.binding.port.name, input.binding.role)
                if input.isSharded {
                    defer { position += 1 }
                    return (port, role, .shards(stage.tasks![id.task].shards[position], layout))
                }
                let artifact = upstream.outputs[input.binding.source.output]!
                return (port, role, layout == .tree ? .tree(artifact) : .shards(artifact.shards, layout))
            }
        }
        let contents = Dictionary(
            uniqueKeysWithValues: node.parameters.sources.compactMap { source in
                sources.content(of: source).map { (source.role, (path: source, content: $0)) }
            })
        return ActionWorkspace(
            stageName: node.name, signature: node.signature, prefix: prefix, scratchDirectory: scratch, store: store,
            trees: trees, inputs: inputs, sources: contents, programs: programs,
            onProgress: { [observer] in observer(.progress(stage: node.name, prefix: prefix, $0)) })
    }
}
