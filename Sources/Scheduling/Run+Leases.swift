import ContentStore
import StageGraph
import Synchronization

/// Actions that another process sharing the store is running.
extension Run {
    /// The right to run an action; nil where another process has it.
    func lease(_ id: ActionID, _ key: Digest) throws -> ActionLease? {
        if let kept = state.withLock({ $0.leases.removeValue(forKey: id) }) { return kept }
        return try store.lease(key)
    }

    /// Waits for another process, while other actions have what this one would occupy. Should there be no result then,
    /// the lease is kept until the action has its turn.
    func waitForAnother(
        _ id: ActionID, _ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage
    ) async throws {
        send([.heldElsewhere(id)])
        var event = RunMachine.Event.released(id)
        do {
            let lease = try await store.awaitLease(preimage.key)
            if let outcome = try finishedElsewhere(node, prefix, preimage) {
                event = .found(id, outcome)
            } else {
                state.withLock { $0.leases[id] = lease }
            }
        } catch is CancellationError {
            // Nothing starts any more, this action neither.
        }
        state.withLock { _ = $0.tasks.removeValue(forKey: id) }
        send([event])
    }

    /// Gives up the leases of actions that never had their turn.
    func releaseLeases() {
        let kept = state.withLock { state in
            defer { state.leases = [:] }
            return state.leases.values
        }
        for lease in kept { lease.release() }
    }

    /// The result that another process sharing the store published while this one waited for its turn.
    func finishedElsewhere(
        _ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage
    ) throws -> ActionOutcome? {
        guard !options.refreshed.contains(node.name) else { return nil }
        let (outcome, _) = try outcome(store.lookup(preimage.key), node, prefix)
        return outcome?.missing.isEmpty == true ? outcome : nil
    }
}
