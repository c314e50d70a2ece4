import ContentStore
import Dispatch
import HTTPTransport
import Synchronization

/// Sends results to one tier beside the computation: the blobs a result needs first, then the result.
final class Uploads: Sendable {
    private struct State {
        var queue = UploadQueue()
        var task: Task<Void, Never>?
        var set = Weak(nil)
    }

    private let tier: Tier
    private let store: LocalStore
    private let state = Mutex(State())
    /// Entered while anything is waiting or under way.
    private let working = DispatchGroup()

    init(to tier: Tier, from store: LocalStore) {
        self.tier = tier
        self.store = store
    }

    var set: Weak {
        get { state.withLock { $0.set } }
        set { state.withLock { $0.set = newValue } }
    }

    func add(_ key: Digest) {
        state.withLock { $0.queue.add(key) }
        startNext()
    }

    private func startNext() {
        state.withLock { state in
            guard let batch = state.queue.next() else { return }
            working.enter()
            state.task = Network.start {
                let failures = await self.send(batch)
                self.state.withLock { $0.queue.finished(failures) }
                self.startNext()
                self.working.leave()
            }
        }
    }

    private func send(_ keys: [Digest]) async -> [Digest: String] {
        guard let set = set.set else { return [:] }
        guard set.isUsable(tier) else { return all(keys, "it was turned off") }
        do {
            let transfer = Push(to: tier, from: store)
            let report = try await transfer.send(results: keys)
            set.remember(report.uploaded, of: tier)
            if let error = report.errors.first { set.note(error, of: tier) }
            return report.failedResults
        } catch {
            set.note(error, of: tier)
            return all(keys, "\((error as? TierError)?.problem ?? "\(error)")")
        }
    }

    private func all(_ keys: [Digest], _ reason: String) -> [Digest: String] {
        Dictionary(keys.map { ($0, reason) }, uniquingKeysWith: { first, _ in first })
    }

    func finish(by deadline: ContinuousClock.Instant) -> TierSet.Pending? {
        let left = deadline - ContinuousClock.now
        let nanoseconds = Int(max(.zero, left) / .nanoseconds(1))
        // A batch ends before the next starts, with the group entered throughout.
        if working.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .timedOut {
            let task = state.withLock { state in
                state.queue.stop()
                return state.task
            }
            task?.cancel()
        }
        let queue = state.withLock { $0.queue }
        guard queue.missing > 0 else { return nil }
        return TierSet.Pending(tier: tier.name, results: queue.missing, reason: queue.failed.values.sorted().first)
    }
}
