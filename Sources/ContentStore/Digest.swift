/// The SHA-256 of some content: its identity everywhere in Retort.
///
/// Ordered as its bytes (and so its hexadecimal text) are ordered.
public struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 32 bytes as four big-endian words, so that comparing words compares bytes.
    let words: (UInt64, UInt64, UInt64, UInt64)

    init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// From exactly 32 raw bytes.
    init(raw bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == 32, "a SHA-256 has 32 bytes")
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// The digest of `bytes`. O(size).
    public init(of bytes: UnsafeRawBufferPointer) {
        var hasher = Hasher256()
        hasher.update(bytes)
        self = hasher.finalize()
    }

    /// The digest of `bytes`. O(size).
    public init(of bytes: some Sequence<UInt8>) {
        var hasher = Hasher256()
        hasher.update(bytes)
        self = hasher.finalize()
    }

    /// The digest of the text's UTF-8 bytes. O(size).
    public init(of text: String) {
        var hasher = Hasher256()
        hasher.update(text)
        self = hasher.finalize()
    }

    /// From the 32 bytes of a digest; nil for any other number of bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self = bytes.withUnsafeBytes { Digest(raw: $0) }
    }

    /// From 64 lower-case hexadecimal digits; nil for anything else.
    public init?(hex: String) {
        var hex = hex
        guard let digest = hex.withUTF8({ Digest(hexDigits: $0) }) else { return nil }
        self = digest
    }

    /// From 64 lower-case hexadecimal digits; nil for anything else.
    public init?(hex: some StringProtocol) { self.init(hex: String(hex)) }

    /// From the ASCII of 64 lower-case hexadecimal digits; nil for anything else.
    init?(hexDigits digits: UnsafeBufferPointer<UInt8>) {
        guard digits.count == 64 else { return nil }
        func word(_ index: Int) -> UInt64? {
            var word: UInt64 = 0
            for digit in digits[index * 16..<index * 16 + 16] {
                let value: UInt8
                switch digit {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
                default: return nil
                }
                word = word << 4 | UInt64(value)
            }
            return word
        }
        guard let first = word(0), let second = word(1), let third = word(2), let fourth = word(3) else { return nil }
        words = (first, second, third, fourth)
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { hexadecimal(64) }

    /// The first 12 hexadecimal digits, for people.
    public var short: String { hexadecimal(12) }

    public var description: String { hex }

    /// The 32 bytes.
    public var bytes: [UInt8] { withRawBytes { Array($0) } }

    /// Calls `body` with the 32 bytes.
    func withRawBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(
            of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian), body)
    }

    /// The first 64 bits, the most significant first: what records are partitioned by.
    var leadingBits: UInt64 { words.0 }

    public static func == (a: Digest, b: Digest) -> Bool {
        a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
    }

    public static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }

    private func hexadecimal(_ count: Int) -> String {
        String(unsafeUninitializedCapacity: count) { target in
            withRawBytes { bytes in
                for index in 0..<count {
                    let byte = bytes[index >> 1]
                    let nibble = index & 1 == 0 ? byte >> 4 : byte & 15
                    target[index] = nibble < 10 ? nibble + UInt8(ascii: "0") : nibble - 10 + UInt8(ascii: "a")
                }
            }
            return count
        }
    }
}
