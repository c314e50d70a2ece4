/// Python's operators on template values.
enum TemplateOperators {
    static func binary(
        _ symbol: String, _ left: TemplateValue, _ right: TemplateValue, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        if symbol == "~" {
            let (a, b) = (left.text, right.text)
            try TemplateLimits.check(bytes: a.utf8.count, and: b.utf8.count, line)
            return .string(a + b)
        }
        switch (symbol, left, right) {
        case ("+", .string(let a), .string(let b)):
            try TemplateLimits.check(bytes: a.utf8.count, and: b.utf8.count, line)
            return .string(a + b)
        case ("+", .list(let a), .list(let b)):
            guard a.count + b.count <= TemplateLimits.values else {
                throw ChatTemplateError(line: line, problem: "a value becomes too large")
            }
            return .list(a + b)
        case ("*", .string(let text), .integer(let count)), ("*", .integer(let count), .string(let text)):
            try TemplateLimits.check(bytes: text.utf8.count, times: max(0, count), line)
            return .string(String(repeating: text, count: max(0, count)))
        default: break
        }
        if let a = left.integerValue, let b = right.integerValue, symbol != "/" {
            return .integer(try integers(symbol, a, b, line))
        }
        if let a = left.double, let b = right.double {
            switch symbol {
            case "+": return .number(a + b)
            case "-": return .number(a - b)
            case "*": return .number(a * b)
            case "/" where b != 0: return .number(a / b)
            default: break
            }
        }
        throw ChatTemplateError(line: line, problem: "cannot apply \"\(symbol)\" to \(left.kind) and \(right.kind)")
    }

    private static func integers(_ symbol: String, _ a: Int, _ b: Int, _ line: Int) throws(ChatTemplateError) -> Int {
        let result: (Int, Bool)
        switch symbol {
        case "+": result = a.addingReportingOverflow(b)
        case "-": result = a.subtractingReportingOverflow(b)
        case "*": result = a.multipliedReportingOverflow(by: b)
        // Python rounds down, and the remainder has the sign of the divisor.
        case "//" where b != 0 && b != -1: result = (a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0), false)
        case "//" where b == -1: result = (0).subtractingReportingOverflow(a)
        case "%" where b != 0 && b != -1: result = (a % b != 0 && (a < 0) != (b < 0) ? a % b + b : a % b, false)
        case "%" where b == -1: result = (0, false)
        case "**" where 0...64 ~= b:
            var (power, overflow) = (1, false)
            for _ in 0..<b {
                let (next, overflows) = power.multipliedReportingOverflow(by: a)
                (power, overflow) = (next, overflow || overflows)
            }
            result = (power, overflow)
        default: throw ChatTemplateError(line: line, problem: "cannot compute \(a) \(symbol) \(b)")
        }
        guard !result.1 else { throw ChatTemplateError(line: line, problem: "\(a) \(symbol) \(b) is too large") }
        return result.0
    }

    static func negative(_ value: TemplateValue, _ line: Int) throws(ChatTemplateError) -> TemplateValue {
        if let integer = value.integerValue { return .integer(try integers("-", 0, integer, line)) }
        if let number = value.double { return .number(-number) }
        throw ChatTemplateError(line: line, problem: "cannot negate \(value.kind)")
    }

    static func compare(
        _ operation: String, _ left: TemplateValue, _ right: TemplateValue, _ line: Int
    ) throws(ChatTemplateError) -> Bool {
        switch operation {
        case "==": return TemplateValue.equal(left, right)
        case "!=": return !TemplateValue.equal(left, right)
        case "in": return try contains(right, left, line)
        case "not in": return !(try contains(right, left, line))
        default: break
        }
        let order: Int
        if let a = left.double, let b = right.double {
            order = a < b ? -1 : a > b ? 1 : 0
        } else if case .string(let a) = left, case .string(let b) = right {
            let (x, y) = (a.unicodeScalars.map(\.value), b.unicodeScalars.map(\.value))
            order = x.lexicographicallyPrecedes(y) ? -1 : x == y ? 0 : 1
        } else {
            throw ChatTemplateError(line: line, problem: "cannot compare \(left.kind) with \(right.kind)")
        }
        return switch operation {
        case "<": order < 0
        case "<=": order <= 0
        case ">": order > 0
        default: order >= 0
        }
    }

    static func contains(
        _ collection: TemplateValue, _ value: TemplateValue, _ line: Int
    ) throws(ChatTemplateError) -> Bool {
        if case .string(let text) = collection {
            guard case .string(let part) = value else {
                throw ChatTemplateError(line: line, problem: "a string cannot contain \(value.kind)")
            }
            return TemplateStrings.range(of: part, in: text) != nil
        }
        guard let elements = collection.elements else {
            throw ChatTemplateError(line: line, problem: "\(collection.kind) contains nothing")
        }
        return elements.contains { TemplateValue.equal($0, value) }
    }
}
