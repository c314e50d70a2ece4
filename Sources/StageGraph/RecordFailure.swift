/// An error about particular records: a stage throws it so that the report of a failed shard names them, and not only
/// the shard.
public struct RecordFailure: Error, Sendable, CustomStringConvertible {
    /// The ids of the records, at least one.
    public let records: [String]
    /// What went wrong with them.
    public let underlying: any Error

    public init(record: String, _ underlying: any Error) {
        self.init(records: [record], underlying)
    }

    public init(records: [String], _ underlying: any Error) {
        self.records = records
        self.underlying = underlying
    }

    public var description: String { "\(underlying)" }
}

/// The records a failure concerns: a few of their ids, and how many they are.
public struct RecordSample: Sendable, Equatable, CustomStringConvertible {
    /// How many ids a sample names.
    public static let listed = 3

    public let ids: [String]
    public let count: Int

    /// - Parameter ids: Any number of ids; the first few are kept.
    public init(ids: some Sequence<String>, count: Int) {
        self.ids = Array(ids.prefix(RecordSample.listed))
        self.count = count
    }

    public init(_ records: [String]) { self.init(ids: records, count: records.count) }

    /// `record q1`, `records q1, q2, q3 and 13 more`, or `16 records` where no id is known.
    public var description: String {
        let rest = count - ids.count
        let names = ids.joined(separator: ", ")
        switch (ids.count, rest) {
        case (0, _): return count == 1 ? "1 record" : "\(count) records"
        case (1, 0): return "record \(names)"
        case (_, 0): return "records \(names)"
        default: return "records \(names) and \(rest) more"
        }
    }
}
