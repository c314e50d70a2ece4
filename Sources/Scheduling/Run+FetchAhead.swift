import ContentStore
import StageGraph
import Synchronization

/// Fetching what actions will read before they ask for it, where a tier stands behind the store.
///
/// Blobs are fetched when they are read, and a stage reads one after the other: without this, a stage whose inputs lie
/// elsewhere would wait for a round trip with each.
extension Run {
    /// How many actions of a map stage are looked ahead: enough to hide round trips, few enough to bring little in vain
    /// when the run is stopped.
    private static let actionsAhead = 64

    /// To be called when an action starts.
    func fetchAhead(of id: ActionID) {
        guard store.isBacked else { return }
        let blobs = state.withLock { state in
            let first = max(state.fetchedAhead[id.stage] ?? 0, id.task)
            var blobs: [(digest: Digest, bytes: Int)] = []
            if state.fetchedAhead[id.stage] == nil { blobs = state.machine.wholeBlobs(readBy: id.stage) }
            let end = min(id.task + Run.actionsAhead, state.machine.stages[id.stage].tasks!.count)
            var task = first
            while task < end, let more = state.machine.blobsAhead(of: ActionID(stage: id.stage, task: task)) {
                blobs += more
                task += 1
            }
            state.fetchedAhead[id.stage] = task
            return blobs
        }
        store.fetchAhead(blobs)
    }
}

extension RunMachine {
    /// The blobs that all actions of a stage read.
    fileprivate func wholeBlobs(readBy stage: Int) -> [(digest: Digest, bytes: Int)] {
        stages[stage].inputs.filter { !$0.isSharded }.flatMap { input in
            stages[input.source].outputs[input.binding.source.output]?.sizedBlobs ?? []
        }
    }

    /// The blobs of an action's own that it will read: none where it is done; nil where it is not decided yet, or what it
    /// reads is being made again.
    fileprivate func blobsAhead(of id: ActionID) -> [(digest: Digest, bytes: Int)]? {
        switch stages[id.stage].tasks![id.task].status {
        case .waiting, .lookingUp, .blocked: nil
        case .ready, .running:
            stages[id.stage].routes.indices.flatMap { position in
                shards(readBy: id, at: position).map { ($0.digest, $0.bytes) }
            }
        default: []
        }
    }
}
