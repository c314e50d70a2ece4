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
    public init(of bytes: [UInt8]) { self = bytes.withUnsafeBytes { Digest(of: $0) } }

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
            let text = UnsafeRawPointer(digits.baseAddress!)
            guard let high = Digest.value(ofDigits: text.loadUnaligned(fromByteOffset: index * 16, as: UInt64.self)),
                let low = Digest.value(ofDigits: text.loadUnaligned(fromByteOffset: index * 16 + 8, as: UInt64.self))
            else { return nil }
            return UInt64(high) << 32 | UInt64(low)
        }
        guard let first = word(0), let second = word(1), let third = word(2), let fourth = word(3) else { return nil }
        words = (first, second, third, fourth)
    }

    /// The number that eight lower-case hexadecimal digits write, all at once; nil where one is none. Each digit is a byte
    /// of `text`, as it lies in memory.
    private static func value(ofDigits text: UInt64) -> UInt32? {
        let text = UInt64(bigEndian: text)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops = ones << 7
        guard text & tops == 0 else { return nil }
        /// In the top bit of each byte whether the byte is at least `bound`; no sum reaches the next byte.
        func atLeast(_ bound: UInt8) -> UInt64 { (text + ones * UInt64(128 - bound)) & tops }
        let isLetter = atLeast(UInt8(ascii: "a")) & ~atLeast(UInt8(ascii: "g"))
        let isDigit = atLeast(UInt8(ascii: "0")) & ~atLeast(UInt8(ascii: "9") + 1)
        guard isLetter | isDigit == tops else { return nil }
        var value = (text & (ones * 0x0F)) + (isLetter >> 7) * 9
        // Two digits to a byte, two bytes to a pair, two pairs to a word.
        value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: value | value >> 16)
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

    /// The digit of a number below 16, without a branch.
    static func digit(_ nibble: UInt8) -> UInt8 { nibble &+ 48 &+ ((nibble &+ 6) >> 4) &* 39 }

    private func hexadecimal(_ count: Int) -> String {
        String(unsafeUninitializedCapacity: count) { target in
            withRawBytes { bytes in
                for index in 0..<count {
                    let byte = bytes[index >> 1]
                    target[index] = Digest.digit(index & 1 == 0 ? byte >> 4 : byte & 15)
                }
            }
            return count
        }
    }
}
