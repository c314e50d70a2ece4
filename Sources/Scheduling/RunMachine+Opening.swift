import CanonicalJSON
import ContentStore
import StageGraph

/// Creating the actions of stages and asking the cache about them.
extension RunMachine {
    /// Creates a stage's tasks once the partitions of its sharded inputs are known.
    mutating func openIfPossible(_ stage: Int) {
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
            TaskState(prefix: $0, pending: Int32(whole))
        }
        for (position, input) in sharded.enumerated() {
            let route = Self.route(from: partitions[position], to: prefixes)
            stages[stage].routes.append(route)
            let source = stages[input.source]
            guard source.isMap else { continue }
            // What an action that runs again for its lost content makes is known.
            for (upstream, task) in route.enumerated()
            where source.tasks![upstream].status != .done && !source.tasks![upstream].isRestoring {
                tasks[Int(task)].pending += 1
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
    private static func route(from fine: [ShardPrefix], to coarse: [ShardPrefix]) -> [Int32] {
        var position = 0
        return fine.map { prefix in
            while !coarse[position].isPrefix(of: prefix) { position += 1 }
            return Int32(position)
        }
    }

    /// The shards that a task reads on the sharded input of this number, in the order of their prefixes; those that are
    /// not made yet are missing. O(shards × log tasks).
    func shards(readBy id: ActionID, at position: Int) -> [Shard] {
        let input = stages[id.stage].shardedInputs[position]
        let route = stages[id.stage].routes[position]
        let task = Int32(id.task)
        let first = route.sortedIndex(past: { $0 < task })
        var end = first
        while end < route.count, route[end] == task { end += 1 }
        return stages[input.source].shards(first..<end, on: input.binding.source.output)
    }

    /// Whether a map stage's task reads no record at all.
    private func readsNothing(_ id: ActionID) -> Bool {
        stages[id.stage].routes.indices.allSatisfy { shards(readBy: id, at: $0).isEmpty }
    }

    /// Looks a stage up: as a whole when everything it needs is there, else the actions that can be decided.
    mutating func lookUp(_ stage: Int) {
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

    mutating func lookUpReadyTasks(_ stage: Int) {
        for task in stages[stage].tasks!.indices { lookUpIfReady(ActionID(stage: stage, task: task)) }
        completeIfDone(stage)
    }

    mutating func lookUpIfReady(_ id: ActionID) {
        // No copy of the stage may be alive here: mutating its tasks would copy them all.
        guard stages[id.stage].tasks![id.task].pending == 0, stages[id.stage].tasks![id.task].status == .waiting
        else { return }
        if stages[id.stage].isMap && readsNothing(id) {
            finish(id, ActionOutcome(outputs: [:], accounting: Accounting(), seconds: 0))
            return
        }
        emitLookUp(id)
    }
}
