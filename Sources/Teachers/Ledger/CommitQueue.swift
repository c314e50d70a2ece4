import CanonicalJSON
import FoundationEssentials
import GRDB
import Synchronization

/// A response on its way into the ledger.
struct LedgerRow: Sendable {
    var key: RequestKey
    var teacher: String
    var response: TeacherResponse

    /// The first response to a request stays: the same call made by two processes at once has one answer from then on.
    static func insert(_ rows: [LedgerRow], into db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO responses (key, teacher, response) VALUES (?, ?, ?)")
        for row in rows {
            try statement.execute(arguments: [
                Data(row.key.bytes), row.teacher, row.response.json.canonicalText,
            ])
        }
    }
}

/// Writes rows that arrive one by one in shared transactions.
///
/// While a transaction runs, further rows gather; they form the next one. So a lone row is written at once, and many
/// are not slowed down by one synchronisation of the disk each.
final class CommitQueue: Sendable {
    private struct Waiting {
        var row: LedgerRow
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var isCommitting = false
    }

    private let pool: DatabasePool
    private let state = Mutex(State())

    init(pool: DatabasePool) { self.pool = pool }

    /// Returns when the row is durable.
    func commit(_ row: LedgerRow) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let starts = state.withLock { state in
                state.waiting.append(Waiting(row: row, continuation: continuation))
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
            try LedgerRow.insert(batch.map(\.row), into: db)
        } completion: { _, result in
            for waiting in batch { waiting.continuation.resume(with: result) }
            self.commitNext()
        }
    }
}
