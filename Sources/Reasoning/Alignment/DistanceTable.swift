/// The table of Levenshtein distances between the prefixes of two sequences, as three bits a cell, column by column.
///
/// The first sequence runs down the rows, the second along the columns: D(i, j) is the distance of the first i row
/// tokens and the first j column tokens. Cell (i, j) for i > 0 lies in bit i − 1.
///
/// Source: G. Myers, "A fast bit-vector algorithm for approximate string matching based on dynamic programming"
/// (1999), in the block form of H. Hyyrö (2003), here with D(0, j) = j.
struct DistanceTable: ~Copyable {
    let rows: Int
    let columns: Int
    /// 64-bit words a column.
    let words: Int
    /// Columns the table holds at a time.
    let blockColumns: Int
    /// D(rows, columns).
    private(set) var distance = 0

    private let occurrences: Occurrences
    /// Vertical differences of the columns where blocks begin: words of +1 bits, then words of −1 bits.
    private let checkpoints: UnsafeMutablePointer<UInt64>
    /// For each column of the block: vertical +1 bits, horizontal +1 bits, bits of zero diagonal differences.
    private let block: UnsafeMutablePointer<UInt64>
    private let vertical: UnsafeMutablePointer<UInt64>
    private var loadedBlock = -1

    /// Computes the distance and what is needed to load any block again. O(rows × columns / 64).
    ///
    /// - Parameter blockColumns: columns held at a time; at least 1.
    init(rows: UnsafeBufferPointer<Int32>, columns: UnsafeBufferPointer<Int32>, blockColumns: Int) {
        self.rows = rows.count
        self.columns = columns.count
        words = (rows.count + 63) / 64
        self.blockColumns = max(1, min(blockColumns, columns.count))
        occurrences = Occurrences(rows: rows, columns: columns)
        checkpoints = .allocate(capacity: max(1, blocks(of: self.blockColumns, in: columns.count)) * 2 * words)
        block = .allocate(capacity: self.blockColumns * 3 * words)
        vertical = .allocate(capacity: 2 * words)
        vertical.update(repeating: ~0, count: words)
        (vertical + words).update(repeating: 0, count: words)
        for index in 0..<blockCount {
            (checkpoints + index * 2 * words).update(from: vertical, count: 2 * words)
            advance(over: columnRange(ofBlock: index))
            loadedBlock = index
        }
        distance = self.columns
        for word in 0..<words {
            let mask = word == words - 1 && self.rows % 64 != 0 ? (1 << UInt64(self.rows % 64)) - 1 : ~UInt64(0)
            distance += (vertical[word] & mask).nonzeroBitCount - (vertical[words + word] & mask).nonzeroBitCount
        }
    }

    deinit {
        checkpoints.deallocate()
        block.deallocate()
        vertical.deallocate()
    }

    var blockCount: Int { blocks(of: blockColumns, in: columns) }

    /// Whether the sequences have no token in common.
    var areDisjoint: Bool { occurrences.areDisjoint }

    /// The columns j of a block, in 1...columns.
    func columnRange(ofBlock index: Int) -> Range<Int> {
        (index * blockColumns + 1)..<(min((index + 1) * blockColumns, columns) + 1)
    }

    /// The block that holds column j in 1...columns.
    func blockIndex(ofColumn j: Int) -> Int { (j - 1) / blockColumns }

    /// Makes the bits of a block's columns readable.
    mutating func load(block index: Int) {
        guard index != loadedBlock else { return }
        vertical.update(from: checkpoints + index * 2 * words, count: 2 * words)
        advance(over: columnRange(ofBlock: index))
        loadedBlock = index
    }

    /// Bit i − 1: D(i, j) = D(i − 1, j) + 1. Column j must be loaded; so for the other two.
    func verticalIncrease(_ j: Int) -> UnsafePointer<UInt64> { record(j) }

    /// The same for the column before a block's first; it need not be loaded.
    func verticalIncrease(beforeBlock index: Int) -> UnsafePointer<UInt64> {
        UnsafePointer(checkpoints + index * 2 * words)
    }

    /// Bit i − 1: D(i, j) = D(i, j − 1) + 1.
    func horizontalIncrease(_ j: Int) -> UnsafePointer<UInt64> { record(j) + words }
    /// Bit i − 1: D(i, j) = D(i − 1, j − 1).
    func diagonalZero(_ j: Int) -> UnsafePointer<UInt64> { record(j) + 2 * words }

    enum Direction {
        case vertical, horizontal
    }

    /// Whether the last step to cell (row, column) in this direction adds one, loading its block; both from 1.
    mutating func increases(row: Int, column: Int, along direction: Direction) -> Bool {
        load(block: blockIndex(ofColumn: column))
        let bits = direction == .vertical ? verticalIncrease(column) : horizontalIncrease(column)
        return bits[(row - 1) >> 6] >> UInt64((row - 1) & 63) & 1 == 1
    }

    private func record(_ j: Int) -> UnsafePointer<UInt64> {
        UnsafePointer(block + ((j - 1) % blockColumns) * 3 * words)
    }

    private func advance(over range: Range<Int>) {
        var output = block
        for j in range {
            let equal = occurrences.vector(ofColumn: j - 1)
            var positiveCarry: UInt64 = 1
            var negativeCarry: UInt64 = 0
            for word in 0..<words {
                let (up, down) = (vertical[word], vertical[words + word])
                let vertically = equal[word] | down
                let matches = equal[word] | negativeCarry
                let horizontally = (((matches & up) &+ up) ^ up) | matches
                let increase = down | ~(horizontally | up)
                let decrease = up & horizontally
                let shiftedIncrease = increase << 1 | positiveCarry
                let shiftedDecrease = decrease << 1 | negativeCarry
                positiveCarry = increase >> 63
                negativeCarry = decrease >> 63
                let newUp = shiftedDecrease | ~(vertically | shiftedIncrease)
                vertical[word] = newUp
                vertical[words + word] = shiftedIncrease & vertically
                output[word] = newUp
                output[words + word] = increase
                output[2 * words + word] = horizontally | down
            }
            occurrences.release(column: j - 1)
            output += 3 * words
        }
    }
}

private func blocks(of size: Int, in columns: Int) -> Int { (columns + size - 1) / size }
