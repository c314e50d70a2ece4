extension JSON {
    /// The canonical encoding: keys sorted by UTF-8 bytes, no insignificant white space, shortest round-trip numbers,
    /// only the escapes JSON requires. O(size).
    public var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    /// ``canonicalBytes`` as text.
    public var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }

    /// Appends the canonical encoding to `bytes`.
    public func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(true): bytes.append(contentsOf: "true".utf8)
        case .bool(false): bytes.append(contentsOf: "false".utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value): writeNumber(value, to: &bytes)
        case .string(let value): writeString(value, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                writeString(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

/// Shortest digits that read back as the same double. A whole number below 2^53 is written as an integer, so that
/// `1.0` and `1` are one value with one encoding.
private func writeNumber(_ value: Double, to bytes: inout [UInt8]) {
    precondition(value.isFinite, "JSON has no encoding for \(value)")
    if value == 0 {
        bytes.append(UInt8(ascii: "0"))
    } else if abs(value) < 0x1p53, let whole = Int64(exactly: value) {
        bytes.append(contentsOf: String(whole).utf8)
    } else {
        bytes.append(contentsOf: value.description.utf8)
    }
}

private func writeString(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { source in
        var start = 0
        for index in 0..<source.count {
            let byte = source[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            bytes.append(contentsOf: source[start..<index])
            start = index + 1
            writeEscape(byte, to: &bytes)
        }
        bytes.append(contentsOf: source[start..<source.count])
    }
    bytes.append(UInt8(ascii: "\""))
}

private func writeEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    default:
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(contentsOf: "u00".utf8)
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
    }
}
