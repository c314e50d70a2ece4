import CanonicalJSON
import FoundationEssentials
import GRDB

/// A paid call as the ledger keeps it.
public struct LedgerEntry: Sendable, Equatable {
    /// Where a call comes from: what the ledger can be summed up by.
    public struct Origin: Sendable, Equatable {
        /// The teacher's name, for a real one its model.
        public var teacher: String
        /// The endpoint's base URL; empty for a teacher that is none.
        public var endpoint: String
        /// The stage that asked first; empty when unknown.
        public var stage: String

        public init(teacher: String, endpoint: String = "", stage: String = "") {
            self.teacher = teacher
            self.endpoint = endpoint
            self.stage = stage
        }
    }

    public var key: RequestKey
    public var origin: Origin
    /// The day in UTC on which the answer came, such as `2026-11-24`; empty when unknown.
    public var day: String
    /// US dollars at the prices of that day; nil when they were not given.
    public var cost: Double?
    public var response: TeacherResponse
    /// How many earlier answers to the same request this one took the place of, because they were asked for again. Of
    /// two answers the one with more stays, whichever ledger it comes from.
    public var revision: Int

    public init(
        key: RequestKey, origin: Origin, day: String, cost: Double? = nil, response: TeacherResponse,
        revision: Int = 0
    ) {
        self.revision = revision
        self.key = key
        self.origin = origin
        self.day = day
        self.cost = cost
        self.response = response
    }

    /// A line of an exported ledger.
    public var json: JSON {
        var object = JSONObject([
            ("day", .string(day)), ("endpoint", .string(origin.endpoint)), ("key", .string(key.description)),
            ("response", response.json), ("stage", .string(origin.stage)), ("teacher", .string(origin.teacher)),
        ])
        object["cost"] = cost.map(JSON.number)
        if revision > 0 { object["revision"] = .integer(Int64(revision)) }
        return .object(object)
    }

    /// - Throws: ``JSONFieldError`` for a member that is missing or no value of its kind.
    public init(json: JSONObject) throws(JSONFieldError) {
        guard let key = RequestKey(hexadecimal: try json.string("key")) else {
            throw JSONFieldError(field: "key", problem: "should be 64 hexadecimal digits")
        }
        let cost = try json.optionalDouble("cost")
        guard cost.map({ $0 >= 0 }) ?? true else { throw JSONFieldError(field: "cost", problem: "is below 0") }
        let revision = try json.optionalInteger("revision") ?? 0
        guard (0..<1 << 31).contains(revision) else {
            throw JSONFieldError(field: "revision", problem: "should be a number from 0 to 2147483647")
        }
        self.init(
            key: key,
            origin: Origin(
                teacher: try json.string("teacher"), endpoint: try json.optionalString("endpoint") ?? "",
                stage: try json.optionalString("stage") ?? ""),
            day: try json.optionalString("day") ?? "", cost: cost,
            response: try TeacherResponse(json: try json.object("response")), revision: revision)
    }
}

extension LedgerEntry {
    static let columns =
        "key, teacher, endpoint, stage, day, prompt_tokens, completion_tokens, cost, finish_reason, response, revision"

    /// What an entry changes where there is one of its key.
    private static let update = columns.split(separator: ", ").filter { $0 != "key" && $0 != "revision" }
        .map { "\($0) = excluded.\($0)" }.joined(separator: ", ")

    /// Writes entries. The first response to a request stays, unless it is to be replaced, or has been elsewhere: the
    /// same call made by two processes at once has one answer from then on.
    ///
    /// - Parameter replacing: whether the entries, answers to requests that were sent again, take the place of others;
    ///   then each gets the revision after the other's.
    /// - Returns: how many were written.
    @discardableResult
    static func insert(_ entries: [LedgerEntry], into db: Database, replacing: Bool = false) throws -> Int {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO responses (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
                \(update), revision = \(replacing ? "responses.revision + 1" : "excluded.revision")
                WHERE \(replacing ? "true" : "excluded.revision > responses.revision")
                """)
        var written = 0
        for entry in entries {
            try statement.execute(arguments: [
                Data(entry.key.bytes), entry.origin.teacher, entry.origin.endpoint, entry.origin.stage, entry.day,
                entry.response.usage?.promptTokens, entry.response.usage?.completionTokens, entry.cost,
                entry.response.finishReason.word, entry.response.json.canonicalText, entry.revision,
            ])
            written += db.changesCount
        }
        return written
    }

    init(row: Row) throws {
        let text: String = row["response"]
        self.init(
            key: RequestKey(bytes: Array(row["key"] as Data)),
            origin: Origin(teacher: row["teacher"], endpoint: row["endpoint"], stage: row["stage"]), day: row["day"],
            cost: row["cost"], response: try TeacherResponse(stored: text), revision: row["revision"])
    }
}

extension TeacherResponse {
    /// From the column that keeps it.
    init(stored text: String) throws {
        let json = try JSON.parse(text)
        guard let object = json.object else { throw JSONFieldError(field: "response", problem: "should be an object") }
        try self.init(json: object)
    }
}
