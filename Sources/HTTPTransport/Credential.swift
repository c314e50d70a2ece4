/// What proves to a server who asks. It never prints itself.
public enum Credential: Sendable, Equatable {
    case basic(user: String, password: String)
    case bearer(token: String)

    /// The value of the `Authorization` header.
    public var headerValue: String {
        switch self {
        case .basic(let user, let password): "Basic \(Base64.encode(Array("\(user):\(password)".utf8)))"
        case .bearer(let token): "Bearer \(token)"
        }
    }
}

extension Credential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .basic: "basic credential (not shown)"
        case .bearer: "bearer credential (not shown)"
        }
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// Base64 (RFC 4648, section 4).
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                let isData = index <= group.count
                text.append(isData ? alphabet[value >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for anything but padded base64.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        let padding = digits.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bytes: [UInt8] = []
        var value = 0
        for (index, digit) in digits.enumerated() {
            if index < digits.count - padding {
                guard let position = alphabet.firstIndex(of: digit) else { return nil }
                value = value << 6 | position
            } else {
                value <<= 6
            }
            if index % 4 == 3 {
                bytes += [UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
                value = 0
            }
        }
        bytes.removeLast(padding)
        // The bits that padding leaves over are zero in what an encoder writes.
        return encode(bytes) == String(text) ? bytes : nil
    }
}
