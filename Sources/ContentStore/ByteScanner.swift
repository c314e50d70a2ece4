/// Reads canonical text from its start to its end.
package struct ByteScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }

    /// Passes over `text`, if it comes next.
    package mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard count <= bytes.count - position else { return false }
        for offset in 0..<count where bytes[position + offset] != text.utf8Start[offset] { return false }
        position += count
        return true
    }

    /// A number as it is written canonically: digits, no zero in front of others, few enough not to overflow.
    package mutating func number() -> Int? {
        let start = position
        var value = 0
        while position < bytes.count, position - start < 18, let digit = digit(bytes[position]) {
            value = value * 10 + digit
            position += 1
        }
        guard position > start, bytes[start] != UInt8(ascii: "0") || position == start + 1 else { return nil }
        return value
    }

    /// 64 lower-case hexadecimal digits.
    package mutating func digest() -> Digest? {
        guard bytes.count - position >= 64 else { return nil }
        defer { position += 64 }
        return Digest(hexDigits: UnsafeBufferPointer(rebasing: bytes[position..<position + 64]))
    }

    /// At most 64 zeros and ones.
    package mutating func prefix() -> ShardPrefix? {
        let start = position
        while position < bytes.count, bytes[position] == UInt8(ascii: "0") || bytes[position] == UInt8(ascii: "1") {
            position += 1
        }
        return ShardPrefix(digits: UnsafeBufferPointer(rebasing: bytes[start..<position]))
    }

    /// Printable ASCII up to the next quotation mark, with nothing escaped; nil for anything else.
    package mutating func plainText() -> String? {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard (0x20..<0x7F).contains(bytes[position]), bytes[position] != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private func digit(_ byte: UInt8) -> Int? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
    }
}

extension [UInt8] {
    package mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func append(decimal number: Int) { append(contentsOf: String(number).utf8) }

    /// The 64 digits of a digest.
    package mutating func append(hexadecimal digest: Digest) {
        digest.withRawBytes { raw in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digits in
                for (index, byte) in raw.enumerated() {
                    digits[2 * index] = Digest.digit(byte >> 4)
                    digits[2 * index + 1] = Digest.digit(byte & 15)
                }
                append(contentsOf: digits)
            }
        }
    }

    /// The zeros and ones of a prefix.
    package mutating func append(prefix: ShardPrefix) {
        for bit in 0..<prefix.length {
            append(prefix.bits >> UInt64(63 - bit) & 1 == 1 ? UInt8(ascii: "1") : UInt8(ascii: "0"))
        }
    }

    /// The canonical JSON list of some digests.
    package mutating func append(listOf digests: [Digest]) {
        reserveCapacity(count + 2 + 67 * digests.count)
        append("[")
        for (index, digest) in digests.enumerated() {
            append(index == 0 ? "\"" : ",\"")
            append(hexadecimal: digest)
            append("\"")
        }
        append("]")
    }
}
