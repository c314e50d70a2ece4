/// A walk through the distance table from its start, collecting runs of edits.
struct EditWalk {
    private(set) var row = 0
    private(set) var column = 0
    private(set) var runs: [MinimalScript.Run] = []
    /// The last step was an edit.
    private(set) var isInRun = false
    private var runStart = (row: 0, column: 0)

    mutating func match() {
        endRun()
        row += 1
        column += 1
    }

    mutating func edit(rows: Int, columns: Int) {
        if !isInRun {
            isInRun = true
            runStart = (row, column)
        }
        row += rows
        column += columns
    }

    /// Drops what is left up to the end of both sequences.
    mutating func finish(row lastRow: Int, column lastColumn: Int) {
        if row < lastRow || column < lastColumn { edit(rows: lastRow - row, columns: lastColumn - column) }
        endRun()
    }

    private mutating func endRun() {
        if isInRun { runs.append((runStart.row..<row, runStart.column..<column)) }
        isInRun = false
    }
}
