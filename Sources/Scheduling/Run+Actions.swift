import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// Executing actions and publishing what they and their stages made.
extension Run {
    func start(_ id: ActionID, _ preimage: ActionPreimage) {
        // Under the lock, so that the task is known before it can be over.
        let (task, isCancelled) = state.withLock { state in
            let task = Task(executorPreference: executor) { await self.run(id, preimage) }
            state.tasks[id] = task
            return (task, state.isCancelled)
        }
        if isCancelled { task.cancel() }
    }

    private func run(_ id: ActionID, _ preimage: ActionPreimage) async {
        let node = pipeline.stages[id.stage]
        let prefix = prefix(id)
        let clock = ContinuousClock()
        do {
            guard let lease = try lease(id, preimage.key) else {
                return try await waitForAnother(id, node, prefix, preimage)
            }
            if let outcome = try finishedElsewhere(node, prefix, preimage) {
                state.withLock { _ = $0.tasks.removeValue(forKey: id) }
                return send([.found(id, outcome)])
            }
            try unfinished.prepare(in: store)
            let start = clock.now
            observer(
                .actionStarted(stage: node.name, prefix: prefix, reasons: try reasons(id, node, prefix, preimage)))
            fetchAhead(of: id)
            let scratch = try store.makeScratchDirectory()
            defer { scratch.remove() }
            let workspace = workspace(
                id, node, prefix, scratch: scratch, resume: try store.resumeDirectory(for: preimage.key))
            let accounting: Accounting
            do {
                accounting = try await node.stage.run(workspace)
            } catch {
                throw scratch.failure ?? error
            }
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
            // A source has held all its records: what it took is free by now, and what follows need not come on top.
            if node.signature.granularity != .map { Allocator.trim() }
            // Another took the lease over, because this process seemed dead: what it has published meanwhile stands.
            if !lease.isHeld, let outcome = try finishedElsewhere(node, prefix, preimage) {
                state.withLock { _ = $0.tasks.removeValue(forKey: id) }
                return send([.found(id, outcome)])
            }
            send([.produced(id)])
            try publish(node, preimage, outcome) { [self] result in
                lease.release()
                state.withLock { _ = $0.tasks.removeValue(forKey: id) }
                switch result {
                case .success:
                    store.removeResumeDirectory(for: preimage.key)
                    // Before anybody hears of it, and the run may be over.
                    keepWhatIsFinished(preimage.key)
                    observer(.actionFinished(stage: node.name, prefix: prefix, seconds: seconds))
                    send([.ran(id, outcome)])
                case .failure(let error): fail(id.stage, (id, prefix), error)
                }
            }
        } catch {
            state.withLock { _ = $0.tasks.removeValue(forKey: id) }
            if let lost = lostInputs(of: id, error) {
                observer(
                    .warning(
                        "stage \(node.name): \(error); what made it runs again, and then this shard, \(prefix)"))
                return send([.inputsLost(id, lost)])
            }
            fail(id.stage, (id, prefix), error)
        }
    }

    /// After a failure: the blobs the action reads that turned out to be gone, or damaged and put aside. Nil where that
    /// is not so, or happened before: then the failure stands.
    private func lostInputs(of id: ActionID, _ error: any Error) -> [Digest]? {
        let (blobs, isCancelled) = state.withLock { ($0.machine.blobsRead(by: id), $0.isCancelled) }
        guard !isCancelled, !(error is CancellationError), let lost = try? store.missing(among: blobs), !lost.isEmpty
        else { return nil }
        return state.withLock { state in
            let isNews = lost.contains { !state.lostInputs.contains($0) }
            state.lostInputs.formUnion(lost)
            return isNews ? lost : nil
        }
    }

    /// Why an action runs, for whoever asked.
    private func reasons(
        _ id: ActionID, _ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage
    ) throws -> [Reason] {
        guard options.explains else { return [] }
        let known = state.withLock { state -> Reason? in
            state.machine.stages[id.stage].tasks![id.task].isRestoring
                ? .resultLost(missing: state.machine.lostOutputs(of: id)) : state.lost.removeValue(forKey: id)
        }
        return try known.map { [$0] } ?? explainer.reasons(node, prefix, preimage)
    }

    /// Results that come close together share a flush.
    private func publish(
        _ node: StageNode, _ preimage: ActionPreimage, _ outcome: ActionOutcome,
        completion: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) throws {
        let costs = JSONObject(outcome.accounting.costs.map { ($0.key, .integer(Int64($0.value))) })
        // A map stage's texts are kept with its memo: once, and not with every shard.
        let texts = node.signature.granularity == .map ? [] : sources.keepTexts(of: node, in: store)
        try store.submit(
            ActionResult(
                preimage: preimage.json, outputs: ResultCoding.encode(outcome),
                provenance: ["seconds": .number(outcome.seconds), "costs": .object(costs)],
                references: ResultCoding.references(outcome.outputs.values) + texts),
            for: preimage.key, completion: completion)
    }

    /// Publishes the artifacts and the memo of a map stage.
    func complete(_ stage: Int, _ preimage: ActionPreimage?, _ outputs: [String: Artifact]) {
        guard mode == .run else { return send([.completed(stage: stage)]) }
        // What its actions held of their records is free by now, in pieces among what stays.
        Allocator.trim()
        guard let preimage else { return send([.completed(stage: stage)]) }
        do {
            for artifact in outputs.values { try store.write(artifact) }
            let (finished, absent) = state.withLock { ($0.machine.stages[stage], $0.machine.absent) }
            let outcome = StageOutcome(
                outputs: outputs, accounting: finished.accounting, actions: finished.executed + finished.cached)
            let actions = finished.tasks!.enumerated().lazy.compactMap { index, task in
                task.key.map {
                    ActionKeys.Action(prefix: task.prefix, key: $0, accounting: finished.accounting(of: index))
                }
            }
            let keyBlob = try store.write(pieces: ActionKeys.pieces(of: actions))
            let references = ResultCoding.references(outputs.values.map { .artifact($0) })
            try store.publish(
                ActionResult(
                    preimage: preimage.json, outputs: ResultCoding.encode(outcome, keys: keyBlob),
                    references: references + [keyBlob] + sources.keepTexts(of: pipeline.stages[stage], in: store)),
                for: preimage.key, lacking: absent)
            _ = published.withLock { $0.insert(stage) }
            send([.completed(stage: stage)])
        } catch {
            fail(stage, nil, error)
        }
    }

    private func workspace(
        _ id: ActionID, _ node: StageNode, _ prefix: ShardPrefix, scratch: ScratchDirectory, resume: String
    ) -> ActionWorkspace {
        let inputs = state.withLock { state in
            let stage = state.machine.stages[id.stage]
            var position = 0
            return stage.inputs.map { input -> (port: String, role: String, input: ActionWorkspace.Input) in
                let upstream = state.machine.stages[input.source]
                let layout = upstream.signature.output(input.binding.source.output)!.layout
                let (port, role) = (input.binding.port.name, input.binding.role)
                if input.isSharded {
                    defer { position += 1 }
                    return (port, role, .shards(state.machine.shards(readBy: id, at: position), layout))
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
            stageName: node.name, signature: node.signature, prefix: prefix, scratch: scratch,
            resumeDirectory: resume,
            store: store,
            trees: trees, inputs: inputs, sources: contents, files: sources, programs: options.programs,
            onProgress: { [observer] in observer(.progress(stage: node.name, prefix: prefix, $0)) })
    }
}
