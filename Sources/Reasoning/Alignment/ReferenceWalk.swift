/// The key tokens of the published EDIT code, for sequences without padding.
///
/// The common prefix is cut. Each side's mask comes from a walk back from the end of the distance table that prefers,
/// at each cell, to drop a token of that side, then to drop one of the other side, then the diagonal. Under ties the
/// two walks take different ways.
///
/// Source: the code of "Capture the Key in Reasoning to Enhance CoT Distillation Generalization" (ACL 2025).
struct ReferenceWalk {
    let distance: Int
    let correctMask: [Bool]
    let wrongMask: [Bool]
    let segments: [TokenAlignment.Segment]

    init(correct: [Int32], wrong: [Int32]) {
        let prefix = zip(correct, wrong).prefix { $0 == $1 }.count
        let (correctRuns, wrongRuns, distance) = correct.withUnsafeBufferPointer { correct in
            wrong.withUnsafeBufferPointer { wrong in
                ReferenceWalk.walks(
                    rows: UnsafeBufferPointer(rebasing: correct[prefix...]),
                    columns: UnsafeBufferPointer(rebasing: wrong[prefix...]))
            }
        }
        self.distance = distance
        segments = correctRuns.map { run in
            TokenAlignment.Segment(
                correct: run.rows.lowerBound + prefix..<run.rows.upperBound + prefix,
                wrong: run.columns.lowerBound + prefix..<run.columns.upperBound + prefix)
        }
        correctMask = TokenAlignment.mask(correct.count, segments.map(\.correct))
        wrongMask = TokenAlignment.mask(
            wrong.count, wrongRuns.map { $0.columns.lowerBound + prefix..<$0.columns.upperBound + prefix })
    }

    /// The runs of edits of the walk that prefers to drop rows and of the one that prefers to drop columns.
    private static func walks(
        rows: UnsafeBufferPointer<Int32>, columns: UnsafeBufferPointer<Int32>
    ) -> (preferringRows: [MinimalScript.Run], preferringColumns: [MinimalScript.Run], distance: Int) {
        if rows.isEmpty || columns.isEmpty {
            let distance = max(rows.count, columns.count)
            let runs: [MinimalScript.Run] = distance == 0 ? [] : [(0..<rows.count, 0..<columns.count)]
            return (runs, runs, distance)
        }
        let bytes = 3 * 8 * ((rows.count + 63) / 64)
        var table = DistanceTable(rows: rows, columns: columns, blockColumns: max(1, (64 << 20) / bytes))
        let preferringRows = walk(&table, rows: rows, columns: columns, prefersRows: true)
        return (preferringRows, walk(&table, rows: rows, columns: columns, prefersRows: false), table.distance)
    }

    private static func walk(
        _ table: inout DistanceTable, rows: UnsafeBufferPointer<Int32>, columns: UnsafeBufferPointer<Int32>,
        prefersRows: Bool
    ) -> [MinimalScript.Run] {
        var (row, column) = (rows.count, columns.count)
        var backwards: [MinimalScript.Run] = []
        var runEnd: (row: Int, column: Int)?
        while row > 0 || column > 0 {
            let canDropRow = row > 0 && (column == 0 || table.increases(row: row, column: column, along: .vertical))
            let canDropColumn =
                column > 0 && (row == 0 || table.increases(row: row, column: column, along: .horizontal))
            let here = (row, column)
            if canDropRow, prefersRows || !canDropColumn {
                row -= 1
            } else if canDropColumn {
                column -= 1
            } else {
                row -= 1
                column -= 1
                if rows[row] == columns[column] {
                    if let end = runEnd { backwards.append((here.0..<end.row, here.1..<end.column)) }
                    runEnd = nil
                    continue
                }
            }
            if runEnd == nil { runEnd = here }
        }
        if let end = runEnd { backwards.append((0..<end.row, 0..<end.column)) }
        return backwards.reversed()
    }
}
