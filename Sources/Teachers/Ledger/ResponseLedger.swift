import CanonicalJSON
import FoundationEssentials
import GRDB

/// The memory of paid calls: responses by ``RequestKey`` in an SQLite file.
///
/// A response is durable when a recording method returns: the file is in write-ahead-log mode, and the log has reached
/// the disk. Several processes may use one file; each waits up to ten seconds for another's transaction. Memory stays
/// bounded whatever the file's size.
public final class ResponseLedger: Sendable {
    /// Lookups in one transaction, and the bound on what a batch holds beside its results.
    static let batch = 1024

    public let path: String
    let pool: DatabasePool
    private let log: WriteAheadLog
    private let commits: Rounds<Commit>
    private let synchronisations: Rounds<Void>
    let calls = CallsUnderWay()

    /// Opens the ledger, and creates the file if there is none. Its folder must exist.
    ///
    /// - Throws: ``LedgerError``.
    public init(path: String) throws {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.label = "ResponseLedger"
            configuration.busyMode = .timeout(10)
            configuration.maximumReaderCount = 2
            // The pages of all connections together: about 8 MiB.
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -2048") }
            pool = try DatabasePool(path: path, configuration: configuration)
            // With NORMAL a transaction does not wait for the disk; ``WriteAheadLog`` does.
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                // A checkpoint keeps transactions out for two synchronisations of the disk: one for each 32 MiB of log.
                try db.execute(sql: "PRAGMA wal_autocheckpoint = 8192")
            }
            // Most runs find the layout in place and need no lock for it.
            if try pool.read(Self.version) != Self.layout { try pool.write(Self.migrate) }
            log = try WriteAheadLog(of: path)
        } catch {
            throw LedgerError(error, path: path)
        }
        commits = Rounds { [pool] commits, completion in
            pool.asyncWrite { db in
                try LedgerEntry.insert(commits.filter { !$0.replaces }.map(\.entry), into: db)
                try LedgerEntry.insert(commits.filter(\.replaces).map(\.entry), into: db, replacing: true)
            } completion: { _, result in
                completion(result)
            }
        }
        synchronisations = Rounds { [log] _, completion in log.synchronize(completion: completion) }
    }

    private struct Commit {
        var entry: LedgerEntry
        /// Whether an earlier response to the same request makes way.
        var replaces: Bool
    }

    /// The layout's version, in `user_version`.
    private static let layout = 3

    private static func version(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }

    private static func migrate(_ db: Database) throws {
        let found = try version(db)
        guard found <= layout else { throw LayoutTooNew(found: found) }
        if found < 1 {
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS responses (
                        key BLOB PRIMARY KEY NOT NULL, teacher TEXT NOT NULL, response TEXT NOT NULL
                    ) WITHOUT ROWID
                    """)
        }
        if found < 2 {
            try db.execute(
                sql: """
                    ALTER TABLE responses ADD COLUMN endpoint TEXT NOT NULL DEFAULT '';
                    ALTER TABLE responses ADD COLUMN stage TEXT NOT NULL DEFAULT '';
                    ALTER TABLE responses ADD COLUMN day TEXT NOT NULL DEFAULT '';
                    ALTER TABLE responses ADD COLUMN prompt_tokens INTEGER;
                    ALTER TABLE responses ADD COLUMN completion_tokens INTEGER;
                    ALTER TABLE responses ADD COLUMN cost REAL;
                    ALTER TABLE responses ADD COLUMN finish_reason TEXT NOT NULL DEFAULT '';
                    UPDATE responses SET
                        prompt_tokens = json_extract(response, '$.usage.prompt_tokens'),
                        completion_tokens = json_extract(response, '$.usage.completion_tokens'),
                        finish_reason = json_extract(response, '$.finish_reason');
                    CREATE TABLE batches (
                        token TEXT PRIMARY KEY NOT NULL, endpoint TEXT NOT NULL, model TEXT NOT NULL,
                        stage TEXT NOT NULL, batch TEXT, keys TEXT NOT NULL
                    ) WITHOUT ROWID;
                    """)
        }
        if found < 3 { try db.execute(sql: "ALTER TABLE responses ADD COLUMN revision INTEGER NOT NULL DEFAULT 0") }
        try db.execute(sql: "PRAGMA user_version = \(layout)")
    }

    fileprivate struct LayoutTooNew: Error { var found: Int }

    /// Number of responses.
    ///
    /// - Throws: ``LedgerError``.
    public func count() throws -> Int {
        try reporting { try pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM responses") ?? 0 } }
    }

    /// The response to a request, if it was paid for before.
    ///
    /// - Throws: ``LedgerError``.
    public func response(for key: RequestKey) throws -> TeacherResponse? {
        try responses(for: [key])[key]
    }

    /// The responses that are there, by key. About 10 µs a key.
    ///
    /// - Throws: ``LedgerError``, also for a stored response that cannot be read.
    public func responses(for keys: [RequestKey]) throws -> [RequestKey: TeacherResponse] {
        var found: [RequestKey: TeacherResponse] = [:]
        found.reserveCapacity(keys.count)
        try reporting {
            for start in stride(from: 0, to: keys.count, by: Self.batch) {
                try pool.read { db in
                    let statement = try db.cachedStatement(sql: "SELECT response FROM responses WHERE key = ?")
                    for key in keys[start..<min(start + Self.batch, keys.count)] {
                        guard let text = try String.fetchOne(statement, arguments: [Data(key.bytes)]) else { continue }
                        found[key] = try TeacherResponse(stored: text)
                    }
                }
            }
        }
        return found
    }

    /// Keeps a response so that it survives the end of this process, killed or not; ``synchronize()`` makes it survive
    /// the end of the machine as well.
    ///
    /// Concurrent calls share transactions: those that arrive while one is written are written together next. The first
    /// response to a request stays, unless it is to be replaced.
    ///
    /// - Throws: ``LedgerError``.
    func write(_ entry: LedgerEntry, replacing: Bool = false) async throws {
        do {
            try await commits.join(Commit(entry: entry, replaces: replacing))
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    /// Returns when everything written before is durable. Concurrent calls share the wait for the disk.
    ///
    /// - Throws: ``LedgerError``.
    func synchronize() async throws { try await synchronisations.join(()) }

    /// Keeps a response. Returns when it is durable.
    ///
    /// - Throws: ``LedgerError``.
    public func record(_ entry: LedgerEntry, replacing: Bool = false) async throws {
        try await write(entry, replacing: replacing)
        try await synchronize()
    }

    /// Keeps many responses in one transaction. Returns when they are durable.
    ///
    /// - Returns: how many were new.
    /// - Throws: ``LedgerError``; then none of them was stored.
    @discardableResult
    public func record(_ entries: [LedgerEntry], replacing: Bool = false) throws -> Int {
        try durably { try LedgerEntry.insert(entries, into: $0, replacing: replacing) }
    }

    /// Works in one transaction. Returns when it is durable.
    ///
    /// - Throws: ``LedgerError``.
    func durably<Value>(_ work: (Database) throws -> Value) throws -> Value {
        try reporting {
            let value = try pool.write(work)
            try log.synchronize()
            return value
        }
    }

    func reporting<Value>(_ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch {
            throw LedgerError(error, path: path)
        }
    }
}

extension LedgerError {
    init(_ error: any Error, path: String) {
        switch error {
        case let error as LedgerError: self = error
        case let error as ResponseLedger.LayoutTooNew:
            self.init(.tooNew, path: path, cause: "its layout has version \(error.found)")
        case let error as DatabaseError:
            let code: Code =
                switch error.resultCode {
                case .SQLITE_NOTADB, .SQLITE_CORRUPT: .corrupt
                case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: .readOnly
                case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
                case .SQLITE_FULL: .full
                default: .other
                }
            self.init(code, path: path, cause: error.message ?? error.description)
        default: self.init(.corrupt, path: path, cause: String(describing: error))
        }
    }
}
