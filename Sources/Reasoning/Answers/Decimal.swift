/// Numbers, compared exactly as decimal digits: no floating point is involved.
enum Decimal {
    /// The whole text is one number with nothing but a currency sign or a percent sign around it.
    static func isWhole(_ text: ArraySlice<UInt8>) -> Bool {
        guard let literal = literal(text) else { return false }
        return literal.rest.allSatisfy { $0 == UInt8(ascii: "%") || $0 == 0x20 }
    }

    /// The number a text states, in normal form: no separators, no leading or trailing zeros, fractions as written.
    ///
    /// The number stands first and may be followed by a unit, or it is the only number of the sentence, or it follows
    /// the last equals sign. Nil for an expression, a range or an alternative.
    static func read(_ text: ArraySlice<UInt8>) -> String? {
        if let equals = text.lastIndex(of: UInt8(ascii: "=")) { return read(text[(equals + 1)...]) }
        let text = AnswerForm.bare(text)
        if let first = literal(text) { return states(first.rest) ? first.digits : nil }
        var found: Literal?
        var rest = Words.firstSentence(text)
        while let byte = rest.first {
            let previous = rest.startIndex > text.startIndex ? text[rest.startIndex - 1] : 0x20
            let isBoundary = !isDigit(previous) && !isLetter(previous) && previous != UInt8(ascii: ".")
            if isBoundary, byte != 0x20, let next = literal(rest) {
                guard found == nil || found?.digits == next.digits else { return nil }
                found = next
                rest = next.rest
            } else {
                rest.removeFirst()
            }
        }
        return found.flatMap { states($0.rest) ? $0.digits : nil }
    }

    private struct Literal {
        var digits: String
        var rest: ArraySlice<UInt8>
    }

    /// What follows a number leaves it a number: not an operator, a second number or a time of day.
    private static func states(_ rest: ArraySlice<UInt8>) -> Bool {
        let next = rest.drop { $0 == 0x20 }
        guard let byte = next.first else { return true }
        if "+*/^<>~".utf8.contains(byte) {
            // "2.5/week" is a number with its unit.
            return byte == UInt8(ascii: "/") && isLetter(next.dropFirst().first)
        }
        if byte == UInt8(ascii: "-") { return !isOperand(next.dropFirst().drop { $0 == 0x20 }) }
        if byte == UInt8(ascii: ":") { return !isDigit(next.dropFirst().first) }
        if byte == UInt8(ascii: "x"), literal(next.dropFirst().drop { $0 == 0x20 }) != nil { return false }
        for word in ["or ", "and ", "to "] where next.starts(with: word.utf8) {
            return literal(next.dropFirst(word.utf8.count).drop { $0 == 0x20 }) == nil
        }
        return true
    }

    private static func isOperand(_ text: ArraySlice<UInt8>) -> Bool {
        literal(text) != nil || text.first == UInt8(ascii: "(")
    }

    /// A number at the start of a text: sign, currency, digits with or without thousands separators, fraction.
    private static func literal(_ text: ArraySlice<UInt8>) -> Literal? {
        var rest = text
        var isNegative = false
        var sawSign = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+"), !sawSign {
                isNegative = byte == UInt8(ascii: "-")
                sawSign = true
                rest.removeFirst()
            } else if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "\\") {
                rest.removeFirst()
            } else if let sign = ["€", "£", "¥"].first(where: { rest.starts(with: $0.utf8) }) {
                rest = rest.dropFirst(sign.utf8.count)
            } else {
                break
            }
        }
        var whole = Array(rest.prefix(while: isDigit))
        rest = rest.dropFirst(whole.count)
        if whole.count <= 3 {
            while rest.first == UInt8(ascii: ","), rest.dropFirst().prefix(while: isDigit).count == 3 {
                whole += rest.dropFirst().prefix(3)
                rest = rest.dropFirst(4)
            }
        }
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            if !fraction.isEmpty { rest = rest.dropFirst(1 + fraction.count) }
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        var digits = normal(whole[...], fraction)
        if fraction.isEmpty, rest.first == UInt8(ascii: "/") {
            let denominator = rest.dropFirst().prefix(while: isDigit)
            if !denominator.isEmpty {
                rest = rest.dropFirst(1 + denominator.count)
                digits += "/" + normal(denominator, [])
            }
        }
        if rest.first == UInt8(ascii: "e"), isDigit(rest.dropFirst().first) { return nil }
        return Literal(digits: isNegative && digits != "0" ? "-" + digits : digits, rest: rest)
    }

    private static func normal(_ whole: ArraySlice<UInt8>, _ fraction: ArraySlice<UInt8>) -> String {
        let zero = UInt8(ascii: "0")
        let significant = whole.drop { $0 == zero }
        var decimals = fraction
        while decimals.last == zero { decimals.removeLast() }
        let digits = significant.isEmpty ? "0" : String(decoding: significant, as: UTF8.self)
        return decimals.isEmpty ? digits : digits + "." + String(decoding: decimals, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
    private static func isDigit(_ byte: UInt8?) -> Bool { byte.map { 0x30...0x39 ~= $0 } ?? false }
    private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte | 0x20 }
    private static func isLetter(_ byte: UInt8?) -> Bool { byte.map { 0x61...0x7A ~= $0 | 0x20 } ?? false }
}
