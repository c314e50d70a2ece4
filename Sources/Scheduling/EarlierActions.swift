import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// What a map stage's actions made the last time the stage was finished, by shard and key.
///
/// An action whose key is still the same needs no result of its own to be looked up: what hangs on it is in the stage's
/// last memo. So a rerun opens one memo, and the results of the shards that changed.
struct EarlierActions: Sendable {
    let keys: ActionKeys
    let outputs: [String: Artifact]
    /// Blobs of the outputs that are not to be had any more.
    let missing: Set<Digest>

    /// What the action on exactly this shard made, if it had this key. O(outputs × log shards).
    func outcome(_ key: Digest, at prefix: ShardPrefix, _ signature: StageSignature) -> ActionOutcome? {
        guard let action = keys.action(at: prefix), action.key == key, let accounting = action.accounting else {
            return nil
        }
        var outcome = ActionOutcome(outputs: [:], accounting: accounting, seconds: 0)
        for port in signature.outputs {
            guard let artifact = outputs[port.name] else { return nil }
            let shard = artifact.shard(at: prefix)
            if let shard, missing.contains(shard.digest) { outcome.missing.append(shard.digest) }
            outcome.outputs[port.name] = .shard(shard)
        }
        return outcome
    }
}

extension Artifact {
    /// The shard with exactly this prefix. O(log shards).
    func shard(at prefix: ShardPrefix) -> Shard? {
        let shards = shards
        let index = shards.sortedIndex(past: { $0.prefix < prefix })
        return index < shards.count && shards[index].prefix == prefix ? shards[index] : nil
    }
}

extension Array {
    /// The first index for which `isBefore` does not hold, the elements for which it does standing first. O(log n).
    func sortedIndex(past isBefore: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Run {
    /// What the stage's actions made the last time; nil where there was no such time, or where it is not known any more.
    func earlierActions(of stage: Int) throws -> EarlierActions? {
        try earlier.withLock { known in
            if let found = known[stage] { return found }
            let found = try loadEarlierActions(of: stage)
            known[stage] = .some(found)
            return found
        }
    }

    private func loadEarlierActions(of stage: Int) throws -> EarlierActions? {
        let node = pipeline.stages[stage]
        guard node.signature.granularity == .map, let key = explainer.history[node.name] else { return nil }
        let (outputs, missing): (JSON, [Digest])
        switch try store.lookup(key) {
        case .hit(let known): (outputs, missing) = (known, [])
        case .lost(let known, let lost): (outputs, missing) = (known, lost)
        case .miss, .unusable: return nil
        }
        return try ifReadable {
            guard let keys = try ActionKeys(ofOutputs: outputs, store: store) else { return nil }
            do {
                let artifacts = try ResultCoding.decodeArtifacts(outputs, signature: node.signature, store: store)
                return EarlierActions(keys: keys, outputs: artifacts, missing: Set(missing))
            } catch is JSONFieldError {
                // Another type of stage had the name.
                return nil
            }
        } ?? nil
    }
}
