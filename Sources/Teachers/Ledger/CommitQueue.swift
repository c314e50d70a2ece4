import GRDB
import Synchronization

/// Writes entries that arrive one by one in shared transactions.
///
/// While a transaction runs, further entries gather; they form the next one. So a lone entry is written at once, and many
/// are not slowed down by one synchronisation of the disk each.
final class CommitQueue: Sendable {
    private struct Waiting {
        var entry: LedgerEntry
        var replaces: Bool
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var isCommitting = false
    }

    private let pool: DatabasePool
    private let state = Mutex(State())

    init(pool: DatabasePool) { self.pool = pool }

    /// Returns when the entry is durable.
    ///
    /// - Parameter replaces: whether an earlier response to the same request makes way.
    func commit(_ entry: LedgerEntry, replaces: Bool) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let starts = state.withLock { state in
                state.waiting.append(Waiting(entry: entry, replaces: replaces, continuation: continuation))
                defer { state.isCommitting = true }
                return !state.isCommitting
            }
            if starts { commitNext() }
        }
    }

    private func commitNext() {
        let batch = state.withLock { state in
            defer { state.waiting = [] }
            if state.waiting.isEmpty { state.isCommitting = false }
            return state.waiting
        }
        guard !batch.isEmpty else { return }
        pool.asyncWrite { db in
            try LedgerEntry.insert(batch.filter { !$0.replaces }.map(\.entry), into: db)
            try LedgerEntry.insert(batch.filter(\.replaces).map(\.entry), into: db, replacing: true)
        } completion: { _, result in
            for waiting in batch { waiting.continuation.resume(with: result) }
            self.commitNext()
        }
    }
}
