import CanonicalJSON

extension JSON {
    /// A plain scalar's value by the core schema of YAML 1.2: null, booleans, integers and numbers, otherwise a
    /// string. `yes`, `no`, `on` and `off` are strings. `.inf` and `.nan` are too, as JSON has no such numbers, and
    /// an integer beyond `Int64` is a number.
    init(plainScalar text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        default: self = JSON.numeral(Array(text.utf8)) ?? .string(text)
        }
    }

    private static func numeral(_ bytes: [UInt8]) -> JSON? {
        guard bytes.count <= 400 else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        if bytes.starts(with: "0x".utf8) || bytes.starts(with: "0o".utf8) {
            let digits = text.dropFirst(2)
            guard digits.utf8.first.map({ $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") }) ?? false else {
                return nil
            }
            return Int64(digits, radix: bytes[1] == UInt8(ascii: "x") ? 16 : 8).map { .integer($0) }
        }
        var rest = bytes[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        if rest.isEmpty {
            guard !whole.isEmpty else { return nil }
            return Int64(text).map { .integer($0) } ?? Double(text).flatMap { $0.isFinite ? .number($0) : nil }
        }
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = rest.prefix(while: isDigit)
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        if let sign = rest.first, sign == UInt8(ascii: "e") || sign == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            let exponent = rest.prefix(while: isDigit)
            guard !exponent.isEmpty else { return nil }
            rest = rest.dropFirst(exponent.count)
        }
        guard rest.isEmpty else { return nil }
        // Swift reads no "1." or "1.e5", and takes ".5".
        let normal = fraction.isEmpty ? String(decoding: bytes.filter { $0 != UInt8(ascii: ".") }, as: UTF8.self) : text
        return Double(normal).flatMap { $0.isFinite ? .number($0) : nil }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
