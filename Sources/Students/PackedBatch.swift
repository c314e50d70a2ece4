import StudentJobs
import Tensors

/// Sequences end to end, without padding, and what is to be predicted in them.
struct PackedBatch: Sendable, Equatable {
    var tokens: [Int64] = []
    var segments: [Segment] = []
    var targets = LossTargets()

    /// Appends a sequence, or the continuation of a prefix; returns its rows.
    @discardableResult mutating func append(_ new: some Sequence<Int32>, after prefix: Range<Int> = 0..<0) -> Range<Int>
    {
        let start = tokens.count
        tokens.append(contentsOf: new.lazy.map(Int64.init))
        let rows = start..<tokens.count
        if !rows.isEmpty { segments.append(Segment(prefix: prefix, rows: rows)) }
        return rows
    }

    /// Row `row` should predict `token`.
    mutating func expect(_ token: Int32, at row: Int, weight: Double) {
        targets.rows.append(Int64(row))
        targets.tokens.append(Int64(token))
        targets.weights.append(weight)
    }
}

extension PackedBatch {
    /// Prompts and completions for SFT; every completion token has `weight`. The last token of a completion is
    /// predicted but never read.
    init(_ records: some Sequence<TokenRecord>, weight: Double) { self.init(records) { _ in weight } }

    /// The same with a weight for the tokens of each record.
    init(_ records: some Sequence<TokenRecord>, weight: (TokenRecord) -> Double) {
        for record in records {
            let rows = append(record.prompt + record.completion.dropLast())
            let first = rows.lowerBound + record.prompt.count - 1
            let weight = weight(record)
            for (offset, token) in record.completion.enumerated() { expect(token, at: first + offset, weight: weight) }
        }
    }
}

/// What of a batch the last layer must compute: in each segment the rows from the first that predicts something.
struct LastRows: Sendable, Equatable {
    /// Which rows of the batch.
    var rows: [Int64] = []
    /// The batch's segments, with queries for those rows only.
    var segments: [Segment] = []
    /// The batch's targets, counted in ``rows``.
    var targets: LossTargets

    init(_ batch: PackedBatch) {
        var predicts = [Bool](repeating: false, count: batch.tokens.count)
        for row in batch.targets.rows { predicts[Int(row)] = true }
        var place = [Int64](repeating: -1, count: batch.tokens.count)
        for segment in batch.segments {
            let first = segment.rows.first { predicts[$0] } ?? segment.rows.upperBound
            segments.append(
                Segment(
                    prefix: segment.prefix, rows: segment.rows, firstQuery: first - segment.rows.lowerBound))
            for row in first..<segment.rows.upperBound {
                place[row] = Int64(rows.count)
                rows.append(Int64(row))
            }
        }
        targets = batch.targets
        targets.rows = batch.targets.rows.map { place[Int($0)] }
    }
}
