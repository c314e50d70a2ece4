public import CanonicalJSON

/// Builds the one byte sequence that stands for a key or an identity.
///
/// The encoding is a domain followed by fields in the order given. Every part is self-delimiting (a kind byte, then
/// lengths before contents), so two different sequences of calls never give the same bytes:
///
/// ```
/// encoding = "retort" 0x00 text(domain) item*
/// item     = "F" text(name) value                 a field
///          | "L" text(name) count                 the head of a list of `count` groups
/// value    = "s" text | "b" text | "i" int64 | "d" 32 bytes | "j" text
/// text     = count, then that many bytes
/// count    = eight bytes, least significant first
/// ```
///
/// A later change of this layout changes every key; the digests pinned in the tests make that a decision.
public struct CanonicalEncoder: Sendable {
    /// The encoding so far.
    public private(set) var bytes: [UInt8]

    /// - Parameter domain: What kind of thing is encoded, with a version: `action/1`. Encodings of different domains
    ///   never coincide.
    public init(domain: String) {
        bytes = []
        bytes.reserveCapacity(512)
        bytes.append(contentsOf: "retort\u{0}".utf8)
        append(text: domain)
    }

    /// A text, by its UTF-8 bytes. No normalisation: texts that differ only in Unicode form differ.
    public mutating func field(_ name: String, _ value: String) {
        begin("s", name)
        append(text: value)
    }

    /// Raw bytes.
    public mutating func field(_ name: String, bytes value: [UInt8]) {
        begin("b", name)
        append(count: value.count)
        bytes.append(contentsOf: value)
    }

    public mutating func field(_ name: String, _ value: Int) {
        begin("i", name)
        append(count: value)
    }

    /// A prefix, by its zeros and ones.
    public mutating func field(_ name: String, _ value: ShardPrefix) {
        begin("s", name)
        append(count: value.length)
        bytes.append(prefix: value)
    }

    public mutating func field(_ name: String, _ value: Digest) {
        begin("d", name)
        value.withRawBytes { bytes.append(contentsOf: $0) }
    }

    /// A JSON value by its canonical encoding.
    public mutating func field(_ name: String, _ value: JSON) {
        begin("j", name)
        let start = bytes.count
        append(count: 0)
        value.write(to: &bytes)
        let count = UInt64(bytes.count - start - 8)
        for index in 0..<8 { bytes[start + index] = UInt8(truncatingIfNeeded: count >> (8 * UInt64(index))) }
    }

    /// Announces a list: `count` groups of fields follow.
    public mutating func list(_ name: String, count: Int) {
        bytes.append(UInt8(ascii: "L"))
        append(text: name)
        append(count: count)
    }

    /// The SHA-256 of ``bytes``.
    public func digest() -> Digest { Digest(of: bytes) }

    private mutating func begin(_ kind: Unicode.Scalar, _ name: String) {
        bytes.append(UInt8(ascii: "F"))
        append(text: name)
        bytes.append(UInt8(ascii: kind))
    }

    private mutating func append(text: String) {
        append(count: text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func append(count: Int) {
        withUnsafeBytes(of: UInt64(bitPattern: Int64(count)).littleEndian) { bytes.append(contentsOf: $0) }
    }
}
