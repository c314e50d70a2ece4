/// Why a text is not JSON, and where.
public struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    public let message: String
    /// Counted from 1.
    public let line: Int
    /// Counted in bytes from 1.
    public let column: Int

    public var description: String { "\(line):\(column): \(message)" }
}

extension JSON {
    /// Parses one JSON value (RFC 8259) and nothing else but white space around it.
    ///
    /// Strict: duplicate keys, lone surrogates, invalid UTF-8, numbers that overflow a double, and nesting deeper
    /// than `maximumDepth` are errors.
    ///
    /// - Throws: ``JSONSyntaxError`` with line and column.
    /// - Complexity: O(n) besides sorting each object's keys.
    public static func parse(_ bytes: some Collection<UInt8>, maximumDepth: Int = 128) throws(JSONSyntaxError) -> JSON {
        let result: Result<JSON, JSONSyntaxError>? = bytes.withContiguousStorageIfAvailable {
            parse(buffer: $0, maximumDepth: maximumDepth)
        }
        return try (result ?? Array(bytes).withUnsafeBufferPointer { parse(buffer: $0, maximumDepth: maximumDepth) })
            .get()
    }

    /// Parses one JSON value from text.
    public static func parse(_ text: String, maximumDepth: Int = 128) throws(JSONSyntaxError) -> JSON {
        try parse(text.utf8, maximumDepth: maximumDepth)
    }

    private static func parse(
        buffer: UnsafeBufferPointer<UInt8>, maximumDepth: Int
    ) -> Result<JSON, JSONSyntaxError> {
        var parser = Parser(source: buffer, maximumDepth: maximumDepth)
        do throws(JSONSyntaxError) {
            return .success(try parser.document())
        } catch {
            return .failure(error)
        }
    }
}

private struct Parser {
    let source: UnsafeBufferPointer<UInt8>
    let maximumDepth: Int
    var position = 0

    init(source: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        self.source = source
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONSyntaxError) -> JSON {
        skipWhitespace()
        let value = try value(depth: 0)
        skipWhitespace()
        guard position == source.count else { throw error("unexpected text after the JSON value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSON {
        guard position < source.count else { throw error("the text ends where a JSON value should stand") }
        switch source[position] {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("expected a JSON value")
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSON {
        guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth) levels") }
        position += 1
        var members: [(String, JSON)] = []
        skipWhitespace()
        if consume(UInt8(ascii: "}")) { return .object(JSONObject()) }
        while true {
            skipWhitespace()
            guard position < source.count, source[position] == UInt8(ascii: "\"") else {
                throw error("expected a key in double quotes")
            }
            let start = position
            let key = try string()
            skipWhitespace()
            guard consume(UInt8(ascii: ":")) else { throw error("expected \":\" after the key") }
            skipWhitespace()
            members.append((key, try value(depth: depth)))
            skipWhitespace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "}")) else { throw error("expected \",\" or \"}\"") }
            let object = JSONObject(members)
            guard object.count == members.count else {
                position = start
                throw error("an object has the same key twice")
            }
            return .object(object)
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSON {
        guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth) levels") }
        position += 1
        var elements: [JSON] = []
        skipWhitespace()
        if consume(UInt8(ascii: "]")) { return .array([]) }
        while true {
            skipWhitespace()
            elements.append(try value(depth: depth))
            skipWhitespace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "]")) else { throw error("expected \",\" or \"]\"") }
            return .array(elements)
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONSyntaxError) -> JSON {
        for offset in 0..<text.utf8CodeUnitCount {
            guard position + offset < source.count, source[position + offset] == text.utf8Start[offset] else {
                throw error("expected a JSON value")
            }
        }
        position += text.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSON {
        let start = position
        var isInteger = true
        _ = consume(UInt8(ascii: "-"))
        if !consume(UInt8(ascii: "0")) { try digits() }
        if consume(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if consume(UInt8(ascii: "e")) || consume(UInt8(ascii: "E")) {
            isInteger = false
            if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: source[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            position = start
            throw error("the number \(text.prefix(40)) does not fit a double")
        }
        return .number(value)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = position
        while position < source.count, source[position] >= 0x30, source[position] <= 0x39 { position += 1 }
        guard position > start else { throw error("expected a digit") }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        while position < source.count {
            switch source[position] {
            case UInt8(ascii: "\""):
                let text = try utf8(start..<position, into: [])
                position += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw error("a control character inside a string must be escaped")
            default: position += 1
            }
        }
        throw error("the text ends inside a string")
    }

    private mutating func escapedString(from start: Int) throws(JSONSyntaxError) -> String {
        var bytes = Array(source[start..<position])
        while position < source.count {
            let byte = source[position]
            switch byte {
            case UInt8(ascii: "\""):
                let text = try utf8(position..<position, into: bytes)
                position += 1
                return text
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            case 0..<0x20: throw error("a control character inside a string must be escaped")
            default:
                bytes.append(byte)
                position += 1
            }
        }
        throw error("the text ends inside a string")
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(JSONSyntaxError) {
        guard position + 1 < source.count else { throw error("the text ends inside a string") }
        let kind = source[position + 1]
        let replacement: UInt8? =
            switch kind {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): kind
            case UInt8(ascii: "b"): 0x08
            case UInt8(ascii: "f"): 0x0C
            case UInt8(ascii: "n"): 0x0A
            case UInt8(ascii: "r"): 0x0D
            case UInt8(ascii: "t"): 0x09
            default: nil
            }
        if let replacement {
            bytes.append(replacement)
            position += 2
            return
        }
        guard kind == UInt8(ascii: "u") else { throw error("unknown escape in a string") }
        var unit = try hexadecimal(at: position + 2)
        var length = 6
        if unit >= 0xD800, unit < 0xDC00 {
            guard position + 7 < source.count, source[position + 6] == UInt8(ascii: "\\"),
                source[position + 7] == UInt8(ascii: "u")
            else { throw error("a lone surrogate in a string") }
            let low = try hexadecimal(at: position + 8)
            guard low >= 0xDC00, low < 0xE000 else { throw error("a lone surrogate in a string") }
            unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            length = 12
        }
        guard let scalar = Unicode.Scalar(unit) else { throw error("a lone surrogate in a string") }
        bytes.append(contentsOf: UTF8.encode(scalar)!)
        position += length
    }

    private func hexadecimal(at offset: Int) throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for place in offset..<offset + 4 {
            let digit: UInt8? =
                switch place < source.count ? source[place] : 0 {
                case let byte where 0x30...0x39 ~= byte: byte - 0x30
                case let byte where 0x41...0x46 ~= byte: byte - 0x41 + 10
                case let byte where 0x61...0x66 ~= byte: byte - 0x61 + 10
                default: nil
                }
            guard let digit else { throw error("expected four hexadecimal digits after \\u") }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private func utf8(_ range: Range<Int>, into prefix: [UInt8]) throws(JSONSyntaxError) -> String {
        let text =
            prefix.isEmpty
            ? String(validating: UnsafeBufferPointer(rebasing: source[range]), as: UTF8.self)
            : String(validating: prefix, as: UTF8.self)
        guard let text else { throw error("a string is not valid UTF-8") }
        return text
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard position < source.count, source[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipWhitespace() {
        while position < source.count {
            switch source[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func error(_ message: String) -> JSONSyntaxError {
        var line = 1
        var lineStart = 0
        for index in 0..<min(position, source.count) where source[index] == 0x0A {
            line += 1
            lineStart = index + 1
        }
        return JSONSyntaxError(message: message, line: line, column: position - lineStart + 1)
    }
}
