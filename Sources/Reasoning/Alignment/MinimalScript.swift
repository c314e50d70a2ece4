/// The edit script of ``TokenAlignment/Mode/minimal``.
struct MinimalScript {
    let distance: Int
    let segments: [TokenAlignment.Segment]

    init(correct: [Int32], wrong: [Int32]) {
        let isSwapped =
            correct.count != wrong.count ? correct.count > wrong.count : wrong.lexicographicallyPrecedes(correct)
        let (rows, columns) = isSwapped ? (wrong, correct) : (correct, wrong)
        let prefix = zip(rows, columns).prefix { $0 == $1 }.count
        var suffix = 0
        while suffix < rows.count - prefix, rows[rows.count - 1 - suffix] == columns[columns.count - 1 - suffix] {
            suffix += 1
        }
        let (distance, runs) = rows.withUnsafeBufferPointer { rows in
            columns.withUnsafeBufferPointer { columns in
                MinimalScript.runs(
                    rows: UnsafeBufferPointer(rebasing: rows[prefix..<rows.count - suffix]),
                    columns: UnsafeBufferPointer(rebasing: columns[prefix..<columns.count - suffix]))
            }
        }
        self.distance = distance
        segments = runs.map { run in
            let rows = run.rows.lowerBound + prefix..<run.rows.upperBound + prefix
            let columns = run.columns.lowerBound + prefix..<run.columns.upperBound + prefix
            return TokenAlignment.Segment(correct: isSwapped ? columns : rows, wrong: isSwapped ? rows : columns)
        }
    }

    /// A run of edits between two matches.
    typealias Run = (rows: Range<Int>, columns: Range<Int>)

    private static func runs(
        rows: UnsafeBufferPointer<Int32>, columns: UnsafeBufferPointer<Int32>
    ) -> (distance: Int, runs: [Run]) {
        if rows.isEmpty || columns.isEmpty {
            let distance = max(rows.count, columns.count)
            return (distance, distance == 0 ? [] : [(0..<rows.count, 0..<columns.count)])
        }
        var search = RunSearch(rows: rows, columns: columns)
        return (search.distance, search.runs())
    }
}
