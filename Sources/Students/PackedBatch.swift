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
    init(_ records: some Sequence<TokenRecord>, weight: Double) {
        for record in records {
            let rows = append(record.prompt + record.completion.dropLast())
            let first = rows.lowerBound + record.prompt.count - 1
            for (offset, token) in record.completion.enumerated() { expect(token, at: first + offset, weight: weight) }
        }
    }
}
