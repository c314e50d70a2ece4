/// A 64-bit hash that never changes: FNV-1a over length-prefixed parts, finished with SplitMix64's mixer.
///
/// It names random streams and makes seeded choices; it is no digest and protects nothing. Source: Fowler, Noll and
/// Vo's FNV-1a (offset basis 0xcbf29ce484222325, prime 0x100000001b3); Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators" (OOPSLA 2014) for the mixer.
public struct StableHash: Sendable {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    public init() {}

    /// The hash of a number and some names: distinct lists of parts are hashed as distinct byte strings.
    public static func of(_ seed: UInt64, _ parts: String...) -> UInt64 {
        var hash = StableHash()
        hash.combine(seed)
        for part in parts { hash.combine(part) }
        return hash.value
    }

    /// Adds the UTF-8 bytes of a text behind their count. O(bytes).
    public mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            combine(UInt64(bytes.count))
            for byte in bytes { add(byte) }
        }
    }

    /// Adds eight bytes, least significant first.
    public mutating func combine(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            add(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// The hash of everything added so far.
    public var value: UInt64 { mixed(state) }

    private mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
}

/// SplitMix64's output function: a bijection in which every input bit reaches every output bit.
func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
