/// For each column token, the rows that hold the same token, as a bit vector.
///
/// Tokens with many occurrences have a vector ready; the others' bits are set and cleared as the columns pass, which
/// bounds the memory to O(rows + columns) words.
struct Occurrences: ~Copyable {
    private let words: Int
    /// For each column the number of its token, −1 when no row has it.
    private let columnTokens: [Int32]
    /// For each token its last row, and for each row the one before it with the same token; −1 at the end.
    private var lastRow: [Int32] = []
    private let previousRow: [Int32]
    /// For each token the place of its vector in `vectors`, −1 when it has none.
    private var vectorIndex: [Int32] = []
    private let scratch: UnsafeMutablePointer<UInt64>
    private let ready: UnsafeMutablePointer<UInt64>

    init(rows: UnsafeBufferPointer<Int32>, columns: UnsafeBufferPointer<Int32>) {
        words = (rows.count + 63) / 64
        var tokens = TokenNumbers(capacity: rows.count)
        var previous = [Int32](repeating: -1, count: rows.count)
        var counts: [Int32] = []
        for (row, identifier) in rows.enumerated() {
            let token = tokens.number(adding: identifier)
            if token == lastRow.count {
                lastRow.append(-1)
                counts.append(0)
            }
            previous[row] = lastRow[token]
            lastRow[token] = Int32(row)
            counts[token] += 1
        }
        previousRow = previous
        columnTokens = columns.map { Int32(tokens.number(of: $0)) }
        var total = 0
        for count in counts {
            vectorIndex.append(count > words ? Int32(total) : -1)
            if count > words { total += 1 }
        }
        scratch = .allocate(capacity: max(1, words))
        scratch.initialize(repeating: 0, count: words)
        ready = .allocate(capacity: max(1, total * words))
        ready.initialize(repeating: 0, count: total * words)
        for token in vectorIndex.indices where vectorIndex[token] >= 0 {
            setBits(ofToken: token, in: ready + Int(vectorIndex[token]) * words)
        }
    }

    deinit {
        scratch.deallocate()
        ready.deallocate()
    }

    /// Whether no row and no column hold the same token. O(columns).
    var areDisjoint: Bool { columnTokens.allSatisfy { $0 < 0 } }

    /// The rows equal to a column's token. Valid until ``release(column:)``, which must follow.
    func vector(ofColumn column: Int) -> UnsafePointer<UInt64> {
        let token = Int(columnTokens[column])
        if token >= 0 {
            if vectorIndex[token] >= 0 { return UnsafePointer(ready + Int(vectorIndex[token]) * words) }
            setBits(ofToken: token, in: scratch)
        }
        return UnsafePointer(scratch)
    }

    func release(column: Int) {
        let token = Int(columnTokens[column])
        guard token >= 0, vectorIndex[token] < 0 else { return }
        var row = lastRow[token]
        while row >= 0 {
            scratch[Int(row) >> 6] = 0
            row = previousRow[Int(row)]
        }
    }

    private func setBits(ofToken token: Int, in vector: UnsafeMutablePointer<UInt64>) {
        var row = lastRow[token]
        while row >= 0 {
            vector[Int(row) >> 6] |= 1 << UInt64(row & 63)
            row = previousRow[Int(row)]
        }
    }
}

/// Numbers token identifiers from 0 in order of appearance; an open-addressing table.
private struct TokenNumbers {
    private var identifiers: [Int32]
    private var numbers: [Int32]
    private let mask: Int
    private var count = 0

    init(capacity: Int) {
        var size = 16
        while size < 2 * capacity { size *= 2 }
        identifiers = [Int32](repeating: 0, count: size)
        numbers = [Int32](repeating: -1, count: size)
        mask = size - 1
    }

    /// The identifier's number; a new one is given to a new identifier.
    mutating func number(adding identifier: Int32) -> Int {
        let slot = slot(identifier)
        if numbers[slot] < 0 {
            identifiers[slot] = identifier
            numbers[slot] = Int32(count)
            count += 1
        }
        return Int(numbers[slot])
    }

    /// The identifier's number, −1 when it has none.
    func number(of identifier: Int32) -> Int { Int(numbers[slot(identifier)]) }

    private func slot(_ identifier: Int32) -> Int {
        let mixed = UInt64(UInt32(bitPattern: identifier)) &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(truncatingIfNeeded: mixed >> 32) & mask
        while numbers[slot] >= 0, identifiers[slot] != identifier { slot = (slot + 1) & mask }
        return slot
    }
}
