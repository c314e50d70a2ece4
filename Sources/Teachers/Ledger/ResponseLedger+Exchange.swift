import FoundationEssentials
import GRDB

/// What passing a ledger on piece by piece needs.
extension ResponseLedger {
    /// The keys of all answers, sorted, with their revisions. 40 bytes an answer.
    ///
    /// - Parameter paid: only those of teachers behind an endpoint; built-in ones cost nothing.
    /// - Throws: ``LedgerError``.
    public func keys(paid: Bool = false) throws -> [(key: RequestKey, revision: Int)] {
        try reporting {
            try pool.read { db in
                let condition = paid ? "WHERE endpoint <> ''" : ""
                return try Row.fetchAll(db, sql: "SELECT key, revision FROM responses \(condition) ORDER BY key").map {
                    (RequestKey(bytes: Array($0["key"] as Data)), $0["revision"])
                }
            }
        }
    }

    /// How many answers there are and have been: those that others took the place of count as well.
    ///
    /// - Throws: ``LedgerError``.
    public func countWithReplaced() throws -> Int {
        try reporting {
            try pool.read { try Int.fetchOne($0, sql: "SELECT coalesce(sum(revision + 1), 0) FROM responses") ?? 0 }
        }
    }

    /// The entries of those keys that are there, in their order.
    ///
    /// - Throws: ``LedgerError``.
    public func entries(for keys: some Collection<RequestKey>) throws -> [LedgerEntry] {
        try reporting {
            try pool.read { db in
                let statement = try db.cachedStatement(
                    sql: "SELECT \(LedgerEntry.columns) FROM responses WHERE key = ?")
                return try keys.compactMap { key in
                    try Row.fetchOne(statement, arguments: [Data(key.bytes)]).map(LedgerEntry.init(row:))
                }
            }
        }
    }
}
