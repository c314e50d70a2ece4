import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// Asking what is known already: sources by their content, stages and actions by their keys.
extension Run {
    func hashSources(_ stage: Int) {
        let node = pipeline.stages[stage]
        do {
            let hashed = try node.parameters.sources.map { source in
                ActionPreimage.Input(
                    role: source.role,
                    contents: [.init(digest: try sources.digest(of: source), label: source.fileName)])
            }
            let started = try node.stage.programs.map { name in
                guard let path = options.programs[name] else {
                    throw StageContractError(
                        description: "the program \(name) was not found next to retort; build both products")
                }
                return ActionPreimage.Input(role: name, contents: [.init(digest: try sources.digest(ofProgram: path))])
            }
            send([.sourcesHashed(stage: stage, sources: hashed, programs: started)])
        } catch {
            fail(stage, nil, error)
        }
    }

    func lookUpMemo(_ stage: Int, _ preimage: ActionPreimage) {
        do {
            let found = isRefreshed(stage) ? ActionLookup.miss : try store.lookup(preimage.key)
            send([.memoLookedUp(stage: stage, try memo(found, pipeline.stages[stage].signature, preimage.partition))])
        } catch {
            fail(stage, nil, error)
        }
    }

    /// A memo that says what its stage's outputs are. One whose manifests or list of keys are gone says too little: its
    /// actions are looked up one by one, and it is written anew.
    private func memo(
        _ found: ActionLookup, _ signature: StageSignature, _ partition: [ShardPrefix]
    ) throws -> StageOutcome? {
        let (outputs, missing): (JSON, [Digest])
        switch found {
        case .hit(let known): (outputs, missing) = (known, [])
        case .lost(let known, let lost): (outputs, missing) = (known, lost)
        case .miss, .unusable: return nil
        }
        if let keys = outputs["keys"]?.string, missing.contains(where: { $0.hex == keys }) { return nil }
        return try ifReadable {
            var outcome = try ResultCoding.decodeMemo(
                outputs, signature: signature, partition: partition, store: store)
            outcome.missing = ResultCoding.references(outcome.outputs.values.map { .artifact($0) })
                .filter(Set(missing).contains)
            return outcome
        }
    }

    func lookUp(_ batch: [(ActionID, ActionPreimage)]) {
        var events: [RunMachine.Event] = []
        var unknown: [(id: ActionID, preimage: ActionPreimage, key: Digest, prefix: ShardPrefix)] = []
        let found: [ActionLookup]
        do {
            // Who asks for the state competes with the scheduler: once for all of them, then.
            for ((id, preimage), prefix) in zip(batch, prefixes(batch.map(\.0))) {
                let key = preimage.key
                if let outcome = try outcomeOfLastRun(id, key, prefix) {
                    events.append(.lookedUp(id, outcome))
                } else {
                    unknown.append((id, preimage, key, prefix))
                }
            }
            let known = try unknown.isEmpty ? [] : store.lookup(unknown.map(\.key))
            found = zip(unknown, known).map { isRefreshed($0.id.stage) ? .miss : $1 }
        } catch {
            for (id, _) in batch { fail(id.stage, (id, prefix(id)), error) }
            return
        }
        for ((id, preimage, _, prefix), lookup) in zip(unknown, found) {
            let node = pipeline.stages[id.stage]
            do {
                let (outcome, problem) = try outcome(lookup, node, prefix)
                if outcome == nil { try noteMiss(id, node, prefix, preimage, problem) }
                events.append(.lookedUp(id, outcome))
            } catch {
                fail(id.stage, (id, prefix), error)
            }
        }
        send(events)
    }

    /// What an action made that has the key it had when the stage was last finished.
    private func outcomeOfLastRun(_ id: ActionID, _ key: Digest, _ prefix: ShardPrefix) throws -> ActionOutcome? {
        guard !isRefreshed(id.stage) else { return nil }
        return try earlierActions(of: id.stage)?.outcome(key, at: prefix, pipeline.stages[id.stage].signature)
    }

    /// What a lookup says an action made, or why it cannot be told although it ran.
    func outcome(
        _ found: ActionLookup, _ node: StageNode, _ prefix: ShardPrefix
    ) throws -> (ActionOutcome?, Reason?) {
        let (outputs, missing): (JSON, [Digest])
        switch found {
        case .hit(let known): (outputs, missing) = (known, [])
        case .lost(let known, let lost): (outputs, missing) = (known, lost)
        case .miss: return (nil, nil)
        case .unusable(let why):
            observer(.warning("stage \(node.name): a stored result is not used: \(why)"))
            return (nil, .resultUnusable(why))
        }
        let outcome = try ifReadable {
            var outcome = try ResultCoding.decode(outputs, signature: node.signature, prefix: prefix, store: store)
            if !missing.isEmpty {
                outcome.missing = ResultCoding.references(outcome.outputs.values).filter(Set(missing).contains)
            }
            return outcome
        }
        guard outcome == nil else { return (outcome, nil) }
        return (nil, .resultLost(missing: try ResultCoding.artifacts(outputs).filter { try !store.contains($0) }))
    }

    /// Nil where a manifest that `body` reads is gone, or damaged and put aside: then what is built on it is made again.
    func ifReadable<Value>(_ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch let error as ContentStoreError where error.code == .missingBlob || error.code == .corruptBlob {
            if error.code == .corruptBlob { observer(.warning("\(error)")) }
            return nil
        }
    }

    private func noteMiss(
        _ id: ActionID, _ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage, _ problem: Reason?
    ) throws {
        guard mode == .plan else {
            if let problem { state.withLock { $0.lost[id] = problem } }
            return
        }
        let reasons = try problem.map { [$0] } ?? explainer.reasons(node, prefix, preimage)
        state.withLock { $0.reasons[id] = reasons }
    }
}

extension SourcePath {
    /// The name of the file or directory, without its folders.
    var fileName: String { written.split(separator: "/").last.map(String.init) ?? written }
}
