import ContentStore
import StageGraph

/// Making content again that results name and that is gone: no sooner than something reads it.
extension RunMachine {
    /// An action has to run. Actions that made what it reads and is gone run again first, and so on up the graph.
    mutating func require(_ first: ActionID) {
        var required = [first]
        while let id = required.popLast() {
            for (digest, producer) in lostInputs(of: id) {
                guard lacking[id, default: []].insert(digest).inserted else { continue }
                waiters[digest, default: []].append(id)
                if beginRestoring(producer) { required.append(producer) }
            }
            if mode == .plan {
                stages[id.stage].tasks![id.task].status = .wouldRun
                if stages[id.stage].tasks![id.task].isRestoring { stages[id.stage].cached -= 1 }
            } else if lacking[id] == nil {
                makeReady(id)
            } else {
                stages[id.stage].tasks![id.task].status = .blocked
            }
        }
    }

    /// Runs a cached action again when the run is for an output of its whose content is gone.
    mutating func restoreIfWanted(_ id: ActionID) {
        guard !stages[id.stage].wanted.isEmpty, !lostOutputs(of: id, among: stages[id.stage].wanted).isEmpty,
            beginRestoring(id)
        else { return }
        require(id)
    }

    /// The blobs of an action's outputs that are gone.
    ///
    /// - Parameter ports: Nil for all outputs.
    func lostOutputs(of id: ActionID, among ports: Set<String>? = nil) -> [Digest] {
        guard !absent.isEmpty else { return [] }
        let stage = stages[id.stage]
        let names = stage.signature.outputs.map(\.name).filter { ports?.contains($0) ?? true }
        let blobs = names.flatMap { name -> [Digest] in
            guard stage.isMap else { return stage.outputs[name]?.blobs ?? [] }
            return stage.shard(of: id.task, on: name).map { [$0.digest] } ?? []
        }
        return blobs.filter(absent.contains)
    }

    /// The blobs an action reads, all its inputs together.
    func blobsRead(by id: ActionID) -> [Digest] {
        let stage = stages[id.stage]
        var digests = stage.routes.indices.flatMap { shards(readBy: id, at: $0).map(\.digest) }
        for input in stage.inputs where !input.isSharded {
            digests += stages[input.source].outputs[input.binding.source.output]?.blobs ?? []
        }
        return digests
    }

    /// An action that ran again for its lost content is done.
    mutating func finishRestoring(_ id: ActionID, _ outcome: ActionOutcome) {
        stages[id.stage].tasks![id.task].status = .done
        stages[id.stage].tasks![id.task].isRestoring = false
        stages[id.stage].unrestoredTasks -= 1
        stages[id.stage].accounting += Accounting(costs: outcome.accounting.costs)
        let isReproduced = stages[id.stage].signature.outputs.allSatisfy { port in
            switch outcome.outputs[port.name] {
            case .shard(let shard): shard == stages[id.stage].shard(of: id.task, on: port.name)
            case .artifact(let artifact): artifact == stages[id.stage].outputs[port.name]
            case nil: false
            }
        }
        if !isReproduced { hasDiverged = true }
        contentArrived(outcome)
    }

    /// Lets the actions go on that waited for content an action has just written.
    mutating func contentArrived(_ outcome: ActionOutcome) {
        guard !absent.isEmpty else { return }
        for digest in ResultCoding.references(outcome.outputs.values) {
            absent.remove(digest)
            for id in waiters.removeValue(forKey: digest) ?? [] {
                lacking[id]?.remove(digest)
                guard lacking[id]?.isEmpty ?? true else { continue }
                lacking[id] = nil
                if stages[id.stage].tasks![id.task].status == .blocked { makeReady(id) }
            }
        }
    }

    /// Whether the action now is to run again; false where it is already, or cannot.
    private mutating func beginRestoring(_ id: ActionID) -> Bool {
        let task = stages[id.stage].tasks![id.task]
        guard task.status == .done, !task.isRestoring else { return false }
        stages[id.stage].tasks![id.task].isRestoring = true
        stages[id.stage].unrestoredTasks += 1
        if task.key == nil { stages[id.stage].tasks![id.task].key = actionPreimage(id).key }
        return true
    }

    /// What an action reads and is gone, with the actions that made it.
    private func lostInputs(of id: ActionID) -> [(digest: Digest, producer: ActionID)] {
        guard !absent.isEmpty else { return [] }
        let stage = stages[id.stage]
        var lost: [(digest: Digest, producer: ActionID)] = []
        var position = 0
        for input in stage.inputs {
            let source = stages[input.source]
            var shards = source.outputs[input.binding.source.output]?.shards ?? []
            if input.isSharded {
                shards = self.shards(readBy: id, at: position)
                position += 1
            }
            if source.isMap {
                for shard in shards where absent.contains(shard.digest) {
                    lost.append((shard.digest, ActionID(stage: input.source, task: source.task(at: shard.prefix))))
                }
            } else {
                let blobs =
                    input.isSharded
                    ? shards.map(\.digest) : source.outputs[input.binding.source.output]?.blobs ?? []
                for blob in blobs where absent.contains(blob) {
                    lost.append((blob, ActionID(stage: input.source, task: 0)))
                }
            }
        }
        return lost
    }
}

extension StageState {
    /// The task whose shard is `prefix`. O(log tasks).
    fileprivate func task(at prefix: ShardPrefix) -> Int {
        var (low, high) = (0, tasks!.count)
        while low < high {
            let middle = (low + high) / 2
            if tasks![middle].prefix < prefix { low = middle + 1 } else { high = middle }
        }
        precondition(low < tasks!.count && tasks![low].prefix == prefix, "a shard that no task made")
        return low
    }
}
