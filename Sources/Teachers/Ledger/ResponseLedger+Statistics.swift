import CanonicalJSON
import FoundationEssentials
import GRDB

/// What a ledger holds, summed up.
public struct LedgerStatistics: Sendable, Equatable {
    public struct Totals: Sendable, Equatable {
        public var calls: Int
        public var promptTokens: Int
        public var completionTokens: Int
        /// US dollars, over the calls whose prices were known.
        public var cost: Double
        /// Calls whose prices were not known.
        public var unpriced: Int
    }

    public struct Group: Sendable, Equatable {
        public var name: String
        public var totals: Totals
    }

    public var total: Totals
    /// By model and endpoint, by stage, by day: each sorted by name.
    public var byModel: [Group]
    public var byStage: [Group]
    public var byDay: [Group]
    /// By finish reason.
    public var byFinishReason: [Group]
    /// Batches that were begun and whose answers are not in yet.
    public var openBatches: Int

    public var json: JSON {
        [
            "total": Self.json(total), "models": Self.json(byModel), "stages": Self.json(byStage),
            "days": Self.json(byDay), "finish_reasons": Self.json(byFinishReason),
            "open_batches": .integer(Int64(openBatches)),
        ]
    }

    private static func json(_ totals: Totals) -> JSON {
        [
            "calls": .integer(Int64(totals.calls)), "prompt_tokens": .integer(Int64(totals.promptTokens)),
            "completion_tokens": .integer(Int64(totals.completionTokens)), "cost": .number(totals.cost),
            "unpriced": .integer(Int64(totals.unpriced)),
        ]
    }

    private static func json(_ groups: [Group]) -> JSON {
        .object(JSONObject(groups.map { ($0.name, json($0.totals)) }))
    }
}

extension ResponseLedger {
    /// Sums up all calls. One pass over the file a grouping.
    ///
    /// - Throws: ``LedgerError``.
    public func statistics() throws -> LedgerStatistics {
        try reporting {
            try pool.read { db in
                func groups(by expression: String) throws -> [LedgerStatistics.Group] {
                    try Row.fetchAll(
                        db,
                        sql: """
                            SELECT \(expression) AS name, count(*) AS calls, total(prompt_tokens) AS prompt,
                                total(completion_tokens) AS completion, total(cost) AS cost,
                                count(*) - count(cost) AS unpriced
                            FROM responses GROUP BY name ORDER BY name
                            """
                    ).map { row in
                        LedgerStatistics.Group(
                            name: row["name"],
                            totals: .init(
                                calls: row["calls"], promptTokens: Int(row["prompt"] as Double),
                                completionTokens: Int(row["completion"] as Double), cost: row["cost"],
                                unpriced: row["unpriced"]))
                    }
                }
                let total = try groups(by: "''").first?.totals
                return LedgerStatistics(
                    total: total
                        ?? .init(calls: 0, promptTokens: 0, completionTokens: 0, cost: 0, unpriced: 0),
                    byModel: try groups(
                        by: "CASE endpoint WHEN '' THEN teacher ELSE teacher || ' at ' || endpoint END"),
                    byStage: try groups(by: "CASE stage WHEN '' THEN 'unknown' ELSE stage END"),
                    byDay: try groups(by: "CASE day WHEN '' THEN 'unknown' ELSE day END"),
                    byFinishReason: try groups(by: "finish_reason"),
                    openBatches: try Int.fetchOne(db, sql: "SELECT count(*) FROM batches") ?? 0)
            }
        }
    }

    /// The mean length of the answers, where it was counted; nil when there are none.
    ///
    /// - Throws: ``LedgerError``.
    public func meanCompletionTokens() throws -> Int? {
        try reporting {
            try pool.read { try Double.fetchOne($0, sql: "SELECT avg(completion_tokens) FROM responses") }
        }.map { Int($0.rounded(.up)) }
    }

    /// Hands over every entry in the order of the keys, a bounded number at a time.
    ///
    /// - Throws: ``LedgerError``, or what `body` throws.
    public func forEachEntry(_ body: (LedgerEntry) throws -> Void) throws {
        var last: RequestKey?
        while true {
            let entries = try entries(after: last)
            guard !entries.isEmpty else { return }
            for entry in entries { try body(entry) }
            last = entries.last?.key
        }
    }

    private func entries(after key: RequestKey?) throws -> [LedgerEntry] {
        try reporting {
            try pool.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT \(LedgerEntry.columns) FROM responses WHERE key > ? ORDER BY key LIMIT \(Self.batch)
                        """, arguments: [Data(key?.bytes ?? [])]
                ).map(LedgerEntry.init(row:))
            }
        }
    }
}
