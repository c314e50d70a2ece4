/// Finds, among the edit scripts of least distance, the one with the fewest runs of edits.
///
/// Every such script is a path through the distance table along tight edges, those whose cost the table accounts for.
/// Going backwards from the end, the search visits the cells that tight edges connect with it, and counts for each how
/// many runs of edits must still begin: `open` when the path arrives there by an edit, so that an edit continues a run,
/// `closed` when it arrives by a match. Then it walks forward. Only one block of columns is held in detail; the blocks
/// are searched again, one by one, on the way forward.
struct RunSearch: ~Copyable {
    private let rowTokens: UnsafeBufferPointer<Int32>
    private let columnTokens: UnsafeBufferPointer<Int32>
    private var table: DistanceTable
    /// Runs still to begin, by row of the current column; `unreached` where no path leads to the end.
    private let open: UnsafeMutablePointer<Int32>
    private let closed: UnsafeMutablePointer<Int32>
    /// The rows of the current column that are reached lie in this range.
    private var reached = 0..<0
    /// The best ways on from each cell of the block's columns.
    private let choices: UnsafeMutablePointer<UInt8>
    /// The column at which each block ends, as it was when the search went backwards.
    private var boundaries: [Boundary] = []

    private struct Boundary {
        var reached: Range<Int>
        var open: [Int32]
        var closed: [Int32]
    }

    private static let unreached = Int32.max / 2
    /// Bits of a choice: a match is best after an edit; a match is best after a match; the edit to take otherwise.
    private static let matchAfterEdit: UInt8 = 1
    private static let matchAfterMatch: UInt8 = 2
    private static let replace: UInt8 = 4
    private static let dropRow: UInt8 = 8
    private static let dropColumn: UInt8 = 12

    /// Both sequences must have a token.
    ///
    /// - Parameter blockColumns: columns held in detail at a time; chosen by size when nil. The result is the same.
    init(rows: UnsafeBufferPointer<Int32>, columns: UnsafeBufferPointer<Int32>, blockColumns: Int? = nil) {
        rowTokens = rows
        columnTokens = columns
        let blockColumns = blockColumns ?? RunSearch.blockColumns(rows: rows.count, columns: columns.count)
        table = DistanceTable(rows: rows, columns: columns, blockColumns: blockColumns)
        open = .allocate(capacity: rows.count + 1)
        closed = .allocate(capacity: rows.count + 1)
        choices = .allocate(capacity: (blockColumns + 1) * (rows.count + 1))
    }

    deinit {
        open.deallocate()
        closed.deallocate()
        choices.deallocate()
    }

    var distance: Int { table.distance }

    /// All columns when their details fit into 64 MiB, otherwise as many as balance blocks and boundaries.
    private static func blockColumns(rows: Int, columns: Int) -> Int {
        let bytes = 3 * ((rows + 63) / 64) * 8 + rows + 1
        guard bytes * columns > 64 << 20 else { return columns }
        var size = 1
        while size * size < columns * 6 { size += 1 }
        return min(size, columns)
    }

    // MARK: Backwards

    /// The runs of edits of the best script, in order.
    mutating func runs() -> [MinimalScript.Run] {
        // Without a match every script of least distance is one run over everything; all cells lie on some such path,
        // and the search would visit them all to find that out.
        if table.areDisjoint { return [(0..<table.rows, 0..<table.columns)] }
        open.update(repeating: RunSearch.unreached, count: table.rows + 1)
        closed.update(repeating: RunSearch.unreached, count: table.rows + 1)
        let isSingle = table.blockCount == 1
        beginAtTheEnd()
        for block in (0..<table.blockCount).reversed() {
            if !isSingle { saveBoundary() }
            search(block: block)
        }
        var walk = EditWalk()
        for block in 0..<table.blockCount {
            if !isSingle { restoreBoundary() }
            // The way back ended with the first block, whose choices are still here.
            if block > 0 { search(block: block) }
            follow(&walk, block: block)
        }
        walk.finish(row: table.rows, column: table.columns)
        return walk.runs
    }

    /// The last column: from its end upwards while dropping row tokens is tight.
    private mutating func beginAtTheEnd() {
        table.load(block: table.blockCount - 1)
        let increases = table.verticalIncrease(table.columns)
        open[table.rows] = 0
        closed[table.rows] = 0
        var row = table.rows
        while row > 0, increases[(row - 1) >> 6] >> UInt64((row - 1) & 63) & 1 == 1 {
            row -= 1
            open[row] = 0
            closed[row] = 1
        }
        reached = row..<table.rows + 1
    }

    private mutating func saveBoundary() {
        boundaries.append(
            Boundary(
                reached: reached, open: reached.map { open[$0] }, closed: reached.map { closed[$0] }))
    }

    private mutating func restoreBoundary() {
        for row in reached {
            open[row] = RunSearch.unreached
            closed[row] = RunSearch.unreached
        }
        let boundary = boundaries.removeLast()
        reached = boundary.reached
        for (index, row) in reached.enumerated() {
            open[row] = boundary.open[index]
            closed[row] = boundary.closed[index]
        }
    }

    /// Carries the counts from the last column of a block to the last column of the block before it (or column 0),
    /// keeping the choices of all these columns but the first.
    private mutating func search(block: Int) {
        table.load(block: block)
        let range = table.columnRange(ofBlock: block)
        for column in range.reversed() {
            step(
                to: column - 1, choices: choices + (column - range.lowerBound) * (table.rows + 1),
                increases: column == range.lowerBound
                    ? table.verticalIncrease(beforeBlock: block) : table.verticalIncrease(column - 1))
        }
    }

    /// One column to the left: replaces the counts of column j + 1 by those of column j, from the last row upwards.
    private mutating func step(
        to column: Int, choices: UnsafeMutablePointer<UInt8>, increases: UnsafePointer<UInt64>
    ) {
        let horizontal = table.horizontalIncrease(column + 1)
        let diagonal = table.diagonalZero(column + 1)
        let token = columnTokens[column]
        let unreached = RunSearch.unreached
        let last = table.rows
        var (rightBelowOpen, rightBelowClosed, belowOpen) = (unreached, unreached, unreached)
        var (lowest, highest) = (Int.max, -1)
        var row = reached.upperBound - 1
        while row >= 0, row + 1 >= reached.lowerBound || belowOpen < unreached {
            let (rightOpen, rightClosed) = (open[row], closed[row])
            var matchRuns = unreached
            var editRuns = unreached
            var choice: UInt8 = 0
            if row < last {
                let (word, bit) = (row >> 6, UInt64(row & 63))
                if diagonal[word] >> bit & 1 == 0 {
                    editRuns = rightBelowOpen
                    choice = RunSearch.replace
                } else if rowTokens[row] == token {
                    matchRuns = rightBelowClosed
                }
                if increases[word] >> bit & 1 == 1, belowOpen < editRuns {
                    editRuns = belowOpen
                    choice = RunSearch.dropRow
                }
            }
            let isHorizontal = row == 0 || horizontal[(row - 1) >> 6] >> UInt64((row - 1) & 63) & 1 == 1
            if isHorizontal, rightOpen < editRuns {
                editRuns = rightOpen
                choice = RunSearch.dropColumn
            }
            if matchRuns <= editRuns { choice |= RunSearch.matchAfterEdit }
            if matchRuns <= editRuns + 1 { choice |= RunSearch.matchAfterMatch }
            choices[row] = choice
            belowOpen = min(matchRuns, editRuns)
            open[row] = belowOpen
            closed[row] = min(matchRuns, editRuns + 1, unreached)
            (rightBelowOpen, rightBelowClosed) = (rightOpen, rightClosed)
            if belowOpen < unreached {
                lowest = row
                highest = max(highest, row)
            }
            row -= 1
        }
        reached = lowest..<highest + 1
    }

    // MARK: Forwards

    /// Takes the best way on until it leaves the columns whose choices the block holds.
    private func follow(_ walk: inout EditWalk, block: Int) {
        let range = table.columnRange(ofBlock: block)
        while walk.column + 1 < range.upperBound {
            let choice = choices[(walk.column + 1 - range.lowerBound) * (table.rows + 1) + walk.row]
            let match = walk.isInRun ? RunSearch.matchAfterEdit : RunSearch.matchAfterMatch
            if choice & match != 0 {
                walk.match()
            } else {
                switch choice & RunSearch.dropColumn {
                case RunSearch.replace: walk.edit(rows: 1, columns: 1)
                case RunSearch.dropRow: walk.edit(rows: 1, columns: 0)
                default: walk.edit(rows: 0, columns: 1)
                }
            }
        }
    }
}
