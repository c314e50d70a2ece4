import ContentStore
import StageGraph
import Synchronization

/// What a run has finished so far, kept from collection although the run itself is not finished: killed, interrupted or
/// failed, it is to go on where it was, however long after.
///
/// The root of the last run (``RunHistory``) names what belongs to finished stages. This one, `unfinished-…`, names every
/// action that is done, and goes when the pipeline is complete. An action is in its log before anybody hears that it is
/// finished. What was found instead of executed is written less often, at most once in an interval, so that it costs a
/// run of a thousand actions nothing: it has other roots as a rule, and else the grace period of `gc`.
struct UnfinishedRun: ~Copyable {
    private let name: String
    private let interval: Duration
    private let clock = ContinuousClock()
    private let nextWriting: Mutex<ContinuousClock.Instant>
    private let log: Mutex<RootLog?>

    init(_ pipeline: String, interval: Duration) {
        name = "unfinished-\(Digest(of: pipeline).short)"
        self.interval = interval
        nextWriting = Mutex(clock.now + interval)
        log = Mutex(nil)
    }

    /// An action is about to be executed.
    ///
    /// - Throws: where what it makes could not be kept from collection, because the disk is full.
    func prepare(in store: LocalStore) throws { try log(in: store).prepare() }

    /// An action has been executed. `earlier` are those that were done before.
    func add(_ key: Digest, to store: LocalStore, earlier: () -> [Digest]) throws {
        try log(in: store).add(key, earlier: earlier)
    }

    private func log(in store: LocalStore) throws -> RootLog {
        try log.withLock { log in
            if let log { return log }
            let new = try RootLog(name, in: store)
            log = new
            return new
        }
    }

    /// Whether it is time to write; then nobody else is told so for another interval.
    func isDue() -> Bool {
        let now = clock.now
        return nextWriting.withLock { next in
            guard now >= next else { return false }
            next = now + interval
            return true
        }
    }

    func write(_ actions: [Digest], to store: LocalStore) throws {
        try store.setRoot(Root(name: name, actions: actions))
    }

    /// Writes what is final for this run.
    func settle(_ actions: [Digest], in store: LocalStore) throws {
        try store.settleRoot(Root(name: name, actions: actions))
    }

    func remove(from store: LocalStore) throws { try store.removeRoot(name) }
}

extension Run {
    /// Called for every action that has been executed and is finished.
    func keepWhatIsFinished(_ key: Digest) {
        do {
            try unfinished.add(key, to: store, earlier: finishedActions)
            guard unfinished.isDue() else { return }
            let finished = finishedActions()
            if !finished.isEmpty { try unfinished.write(finished, to: store) }
        } catch {
            observer(.warning("what the run has finished could not be protected from collection yet: \(error)"))
        }
    }

    /// Called at the end: what is finished stays until the pipeline is, and then the root of the last run has it all.
    func settle(isComplete: Bool) throws {
        let finished = isComplete ? [] : finishedActions()
        if finished.isEmpty {
            if isComplete { try unfinished.remove(from: store) }
        } else {
            try unfinished.settle(finished, in: store)
        }
    }

    /// The keys of all stages and actions that are done. O(actions).
    private func finishedActions() -> [Digest] {
        state.withLock { state in
            state.machine.stages.flatMap { stage -> [Digest] in
                let actions = (stage.tasks ?? []).compactMap { $0.status == .done ? $0.key : nil }
                return stage.phase == .complete ? actions + (stage.key.map { [$0] } ?? []) : actions
            }
        }
    }
}
