import GRDB

/// A batch that was begun and whose answers are not in the ledger yet.
public struct OpenBatch: Sendable, Equatable {
    /// Ours, unique.
    public var token: String
    public var endpoint: String
    public var model: String
    public var stage: String
    /// The service's id; nil until it is known.
    public var batch: String?
    /// What was asked.
    public var keys: [RequestKey]

    public init(token: String, endpoint: String, model: String, stage: String, batch: String? = nil, keys: [RequestKey])
    {
        self.token = token
        self.endpoint = endpoint
        self.model = model
        self.stage = stage
        self.batch = batch
        self.keys = keys
    }
}

extension ResponseLedger {
    /// Makes a batch durable, before anything of it is sent.
    ///
    /// - Throws: ``LedgerError``.
    public func open(_ batch: OpenBatch) throws {
        try durably { db in
            try db.execute(
                sql: """
                    INSERT INTO batches (token, endpoint, model, stage, batch, keys) VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    batch.token, batch.endpoint, batch.model, batch.stage, batch.batch,
                    batch.keys.map(\.description).joined(separator: " "),
                ])
        }
    }

    /// Makes the service's id of a batch durable.
    ///
    /// - Throws: ``LedgerError``.
    public func setID(_ id: String, ofBatch token: String) throws {
        try durably { try $0.execute(sql: "UPDATE batches SET batch = ? WHERE token = ?", arguments: [id, token]) }
    }

    /// Forgets a batch: its answers are in, or there will be none.
    ///
    /// - Throws: ``LedgerError``.
    public func close(batch token: String) throws {
        try durably { try $0.execute(sql: "DELETE FROM batches WHERE token = ?", arguments: [token]) }
    }

    /// The batches of an endpoint whose answers are not in yet, in the order of their tokens.
    ///
    /// - Throws: ``LedgerError``.
    public func openBatches(endpoint: String) throws -> [OpenBatch] {
        try reporting {
            try pool.read { db in
                try Row.fetchAll(
                    db, sql: "SELECT * FROM batches WHERE endpoint = ? ORDER BY token", arguments: [endpoint]
                ).map { row in
                    OpenBatch(
                        token: row["token"], endpoint: row["endpoint"], model: row["model"], stage: row["stage"],
                        batch: row["batch"],
                        keys: (row["keys"] as String).split(separator: " ").compactMap {
                            RequestKey(hexadecimal: String($0))
                        })
                }
            }
        }
    }
}
