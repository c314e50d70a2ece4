/// The merges of a byte-pair encoding: for two tokens side by side, when they are joined and into which token.
struct MergeTable: Sendable {
    /// A merge as rank in the upper and the new token's identifier in the lower half; `none` where there is none.
    typealias Packed = UInt64

    static let none = UInt64.max

    /// Open addressing: pairs of identifiers, left in the upper half, and what they become.
    private var keys: [UInt64]
    private var values: [Packed]
    private var shift: UInt64

    init(capacity: Int) {
        var bits: UInt64 = 4
        while 1 << bits < 2 * capacity { bits += 1 }
        keys = Array(repeating: UInt64.max, count: 1 << bits)
        values = Array(repeating: MergeTable.none, count: 1 << bits)
        shift = 64 - bits
    }

    /// A later merge of the same pair takes the place of the earlier one.
    mutating func insert(_ left: Int32, _ right: Int32, rank: Int, into token: Int32) {
        let key = MergeTable.key(left, right)
        var slot = self.slot(key)
        while keys[slot] != .max, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
        keys[slot] = key
        values[slot] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: token))
    }

    /// O(1).
    @inline(__always)
    func withUnsafeLookup<Result>(_ body: (Lookup) -> Result) -> Result {
        keys.withUnsafeBufferPointer { keys in
            values.withUnsafeBufferPointer { values in
                body(Lookup(keys: keys.baseAddress!, values: values.baseAddress!, mask: keys.count - 1, shift: shift))
            }
        }
    }

    struct Lookup {
        fileprivate let keys: UnsafePointer<UInt64>
        fileprivate let values: UnsafePointer<Packed>
        fileprivate let mask: Int
        fileprivate let shift: UInt64

        @inline(__always)
        func merge(_ left: Int32, _ right: Int32) -> Packed {
            let key = MergeTable.key(left, right)
            var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
            while true {
                let found = keys[slot]
                if found == key { return values[slot] }
                if found == .max { return MergeTable.none }
                slot = (slot + 1) & mask
            }
        }
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func slot(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift) }
}
