import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// Says why an action runs, from what the pipeline's last run left in the store.
///
/// What it reads of a stage's last run is read once, so that explaining n actions costs n results and not n².
final class Explainer: Sendable {
    let history: RunHistory
    private let store: LocalStore
    private let memories = Mutex<[String: Memory]>([:])
    private let details: ReasonDetails

    /// What is left of a stage's last run.
    private struct Memory {
        var preimage: ActionPreimage?
        var actions: ActionKeys?
    }

    init(history: RunHistory, store: LocalStore, sources: SourceFiles) {
        self.history = history
        self.store = store
        details = ReasonDetails(store: store, sources: sources)
    }

    /// The reasons an action that the cache does not know has to run: never empty, and each of them true.
    func reasons(_ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage) throws -> [Reason] {
        guard let lastKey = history[node.name] else { return [.neverRan] }
        let memory = try memory(of: node, lastKey)
        guard let last = memory.preimage else { return [.lastResultRemoved(key: lastKey)] }
        guard node.signature.granularity == .map else {
            return try changes(preimage, since: last, key: lastKey, node)
        }
        guard let actions = memory.actions else {
            return try changes(preimage, since: outline(of: last, for: node, preimage), key: lastKey, node)
        }
        guard let key = actions.key(at: prefix) else {
            // No record had fallen into this shard.
            return try changes(preimage, since: outline(of: last, for: node, preimage), key: lastKey, node)
        }
        if key == preimage.key { return [.resultRemoved(key: key)] }
        if let old = try self.preimage(of: key) { return try changes(preimage, since: old, key: key, node) }
        return [.lastResultRemoved(key: key)]
    }

    private func changes(
        _ preimage: ActionPreimage, since old: ActionPreimage, key: Digest, _ node: StageNode
    ) throws -> [Reason] {
        let changes = preimage.changes(since: old)
        return changes.isEmpty ? [.resultRemoved(key: preimage.key)] : try changes.map { try details.refine($0, node) }
    }

    /// What is known of an action that was not there in the stage's last run: all but its shards.
    private func outline(
        of memo: ActionPreimage, for node: StageNode, _ preimage: ActionPreimage
    ) -> ActionPreimage {
        let sharded = Set(node.inputs.filter { $0.port.distribution == .sharded }.map(\.role))
        return ActionPreimage(
            scope: .action, stage: memo.stage, version: memo.version, shard: preimage.shard,
            parameters: memo.parameters,
            inputs: memo.inputs.map { sharded.contains($0.role) ? .init(role: $0.role, contents: []) : $0 },
            sources: memo.sources, programs: memo.programs)
    }

    private func memory(of node: StageNode, _ key: Digest) throws -> Memory {
        if let known = memories.withLock({ $0[node.name] }) { return known }
        var memory = Memory()
        if let result = try result(of: key) {
            memory.preimage = try preimage(of: result)
            memory.actions =
                node.signature.granularity == .map ? try ActionKeys(ofOutputs: result.outputs, store: store) : nil
        }
        memories.withLock { $0[node.name] = memory }
        return memory
    }

    private func preimage(of key: Digest) throws -> ActionPreimage? {
        try result(of: key).flatMap { try preimage(of: $0) }
    }

    private func preimage(of result: ActionResult) throws -> ActionPreimage? {
        try result.preimage.object.map { try ActionPreimage(json: $0) }
    }

    /// Nil also for a result that has been put aside: it can explain nothing.
    private func result(of key: Digest) throws -> ActionResult? {
        do {
            return try store.result(for: key)
        } catch let error as ContentStoreError where error.code == .malformed {
            return nil
        }
    }
}
