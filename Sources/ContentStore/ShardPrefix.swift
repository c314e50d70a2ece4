/// The leading bits of SHA-256(id) that the records of one shard share: at most 64 of them.
///
/// Ordered so that a prefix stands directly before everything under it.
public struct ShardPrefix: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The bits, the first one most significant; bits past `length` are zero.
    let bits: UInt64
    private let bitCount: UInt8

    /// How many bits, from 0 to 64.
    public var length: Int { Int(bitCount) }

    /// The prefix of every record.
    public static let root = ShardPrefix(bits: 0, length: 0)

    /// The first `length` bits of `bits`.
    init(bits: UInt64, length: Int) {
        precondition((0...64).contains(length), "a shard prefix has at most 64 bits")
        self.bits = bits & ShardPrefix.mask(length)
        bitCount = UInt8(length)
    }

    /// From a text of zeros and ones; `""` and `"*"` are the root. Nil for anything else.
    public init?(_ text: String) {
        if text == "*" {
            self = .root
            return
        }
        var text = text
        guard let prefix = text.withUTF8({ ShardPrefix(digits: $0) }) else { return nil }
        self = prefix
    }

    /// From a text of zeros and ones; `""` and `"*"` are the root. Nil for anything else.
    public init?(_ text: some StringProtocol) { self.init(String(text)) }

    /// From the ASCII of at most 64 zeros and ones; nil for anything else.
    init?(digits: UnsafeBufferPointer<UInt8>) {
        guard digits.count <= 64 else { return nil }
        var bits: UInt64 = 0
        for (index, digit) in digits.enumerated() {
            switch digit {
            case UInt8(ascii: "0"): break
            case UInt8(ascii: "1"): bits |= 1 << UInt64(63 - index)
            default: return nil
            }
        }
        self.init(bits: bits, length: digits.count)
    }

    /// Zeros and ones; empty for the root.
    public var text: String {
        String(unsafeUninitializedCapacity: length) { target in
            for index in 0..<length {
                target[index] = bits >> UInt64(63 - index) & 1 == 1 ? UInt8(ascii: "1") : UInt8(ascii: "0")
            }
            return length
        }
    }

    /// ``text``, with `*` for the root.
    public var description: String { length == 0 ? "*" : text }

    /// Whether a record whose id has this digest belongs under the prefix.
    public func contains(_ idHash: Digest) -> Bool { idHash.leadingBits & ShardPrefix.mask(length) == bits }

    /// Whether `other` is this prefix or lies under it.
    public func isPrefix(of other: ShardPrefix) -> Bool {
        length <= other.length && other.bits & ShardPrefix.mask(length) == bits
    }

    /// Whether the two share any record: one is a prefix of the other.
    public func overlaps(_ other: ShardPrefix) -> Bool { isPrefix(of: other) || other.isPrefix(of: self) }

    /// The two halves, zero first; nil for a prefix of 64 bits.
    public var children: (zero: ShardPrefix, one: ShardPrefix)? {
        guard length < 64 else { return nil }
        return (
            ShardPrefix(bits: bits, length: length + 1),
            ShardPrefix(bits: bits | 1 << UInt64(63 - length), length: length + 1)
        )
    }

    public static func < (a: ShardPrefix, b: ShardPrefix) -> Bool { (a.bits, a.length) < (b.bits, b.length) }

    private static func mask(_ length: Int) -> UInt64 { length == 0 ? 0 : ~0 << UInt64(64 - length) }
}
