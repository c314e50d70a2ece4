import ContentStore
import StageGraph

@testable import Scheduling

/// What the state machine is driven against: a store, other processes and the user, each with its say.
struct World {
    /// Results by action key.
    var results: [Digest: ActionOutcome] = [:]
    var memos: [Digest: StageOutcome] = [:]
    /// Content that can be read.
    var blobs: Set<Digest> = []
    /// Content that seems to be there until an action reads it.
    var damaged: Set<Digest> = []
    /// Actions that another process will be found to be running, once each.
    var held: Set<ActionID> = []
    /// Actions whose stage throws, by name and shard.
    var failing: Set<String> = []
    /// Whether the user may still interrupt the run, at any moment.
    var mayCancel = false
    /// Stages whose actions give other content each time they run.
    var fickle: Set<String> = []

    /// How often each action was executed here.
    var executions: [ActionID: Int] = [:]
    /// Whether nothing may start any more.
    var isOver = false

    func withMissing(_ outcome: ActionOutcome) -> ActionOutcome {
        var outcome = outcome
        outcome.missing = missing(among: ResultCoding.references(outcome.outputs.values))
        return outcome
    }

    func withMissing(_ outcome: StageOutcome) -> StageOutcome {
        var outcome = outcome
        outcome.missing = missing(among: ResultCoding.references(outcome.outputs.values.map { .artifact($0) }))
        return outcome
    }

    private func missing(among digests: [Digest]) -> [Digest] { digests.filter { !blobs.contains($0) } }

    /// The blobs that an action would find gone.
    func lost(among digests: [Digest]) -> [Digest] {
        digests.filter { !blobs.contains($0) || damaged.contains($0) }
    }

    mutating func publish(_ outcome: ActionOutcome, key: Digest) {
        results[key] = outcome
        let written = ResultCoding.references(outcome.outputs.values)
        blobs.formUnion(written)
        damaged.subtract(written)
    }
}
