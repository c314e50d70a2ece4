/// Jinja's filters and tests, those that chat templates use.
enum TemplateFilters {
    static func apply(
        _ name: String, to value: TemplateValue, _ call: TemplateCall, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        switch name {
        case "trim": return .string(TemplateStrings.strip(value.text, call.argument(0, "chars")?.text))
        case "upper": return .string(value.text.uppercased())
        case "lower": return .string(value.text.lowercased())
        case "capitalize": return .string(TemplateStrings.capitalized(value.text))
        case "title": return .string(title(value.text))
        case "string": return .string(value.text)
        case "safe", "e", "escape":
            guard name == "safe" else { break }
            return value
        case "replace":
            guard let old = call.argument(0, "old"), let new = call.argument(1, "new") else { break }
            return .string(try TemplateStrings.replace(value.text, old.text, new.text, line))
        case "default", "d":
            let isMissing =
                if case .undefined = value { true } else {
                    call.argument(1, "boolean")?.isTrue ?? false && !value.isTrue
                }
            return isMissing ? call.argument(0, "default_value") ?? .string("") : value
        case "tojson":
            return .string(try TemplateJSON.text(value, indent: call.argument(0, "indent")?.integerValue, line))
        case "int":
            return .integer(
                value.integerValue ?? Int(TemplateStrings.strip(value.text, nil)) ?? call.argument(0)?.integerValue ?? 0
            )
        case "float": return .number(value.double ?? Double(TemplateStrings.strip(value.text, nil)) ?? 0)
        case "abs":
            if let integer = value.integerValue, integer != .min { return .integer(abs(integer)) }
        case "length", "count":
            if case .string(let text) = value { return .integer(text.unicodeScalars.count) }
            if let elements = value.elements { return .integer(elements.count) }
        case "first":
            if let elements = value.elements { return elements.first ?? .undefined("the first element") }
        case "last":
            if let elements = value.elements { return elements.last ?? .undefined("the last element") }
        case "list":
            if let elements = value.elements { return .list(elements) }
        case "reverse":
            if case .string(let text) = value {
                return .string(String(String.UnicodeScalarView(text.unicodeScalars.reversed())))
            }
            if let elements = value.elements { return .list(elements.reversed()) }
        case "join":
            guard let elements = value.elements else { break }
            return .string(try TemplateStrings.join(elements.map(\.text), call.argument(0, "d")?.text ?? "", line))
        case "items":
            if case .map = value { return try TemplateMethods.call("items", on: value, call, line) }
            if case .undefined = value { return .list([]) }
        case "map":
            guard let elements = value.elements else { break }
            return .list(try mapped(elements, call, line))
        case "select", "reject", "selectattr", "rejectattr":
            guard let elements = value.elements else { break }
            return .list(try selected(name, elements, call, line))
        case "indent":
            let width = call.argument(0, "width")?.integerValue ?? 4
            let margin = String(repeating: " ", count: max(0, min(width, 1000)))
            let lines = TemplateStrings.split(value.text, "\n")
            try TemplateLimits.check(bytes: margin.utf8.count, times: lines.count, and: value.text.utf8.count, line)
            let indented = lines.dropFirst().map { $0.utf8.isEmpty ? $0 : margin + $0 }
            let first = call.argument(1, "first")?.isTrue ?? false ? margin + lines[0] : lines[0]
            return .string(([first] + indented).joined(separator: "\n"))
        default: throw ChatTemplateError(line: line, problem: "the filter \(name.debugDescription) is not supported")
        }
        throw ChatTemplateError(
            line: line, problem: "cannot apply the filter \(name.debugDescription) to \(value.kind)")
    }

    private static func mapped(
        _ elements: [TemplateValue], _ call: TemplateCall, _ line: Int
    ) throws(ChatTemplateError) -> [TemplateValue] {
        var results: [TemplateValue] = []
        for element in elements {
            if let attribute = call.named["attribute"] {
                let member = try TemplateMembers.item(attribute, of: element, line)
                if case .undefined = member, let fallback = call.named["default"] {
                    results.append(fallback)
                } else {
                    results.append(member)
                }
            } else {
                let rest = TemplateCall(positional: Array(call.positional.dropFirst()), named: call.named)
                results.append(try apply(call.argument(0)?.text ?? "", to: element, rest, line))
            }
        }
        return results
    }

    private static func selected(
        _ name: String, _ elements: [TemplateValue], _ call: TemplateCall, _ line: Int
    ) throws(ChatTemplateError) -> [TemplateValue] {
        let byAttribute = name.hasSuffix("attr")
        var results: [TemplateValue] = []
        for element in elements {
            var (subject, rest) = (element, call.positional)
            if byAttribute, !rest.isEmpty { subject = try TemplateMembers.item(rest.removeFirst(), of: element, line) }
            let isTrue =
                rest.isEmpty ? subject.isTrue : try test(rest[0].text, subject, Array(rest.dropFirst()), line)
            if isTrue == name.hasPrefix("select") { results.append(element) }
        }
        return results
    }

    /// Each word with its first letter in upper case.
    static func title(_ text: String) -> String {
        var output = ""
        var isInside = false
        for scalar in text.unicodeScalars {
            let isLetter = scalar.properties.isAlphabetic
            output += isLetter && !isInside ? scalar.properties.titlecaseMapping : scalar.properties.lowercaseMapping
            isInside = isLetter
        }
        return output
    }

    // MARK: Tests

    static func test(
        _ name: String, _ value: TemplateValue, _ arguments: [TemplateValue], _ line: Int
    ) throws(ChatTemplateError) -> Bool {
        switch (name, value) {
        case ("defined", .undefined), ("undefined", .undefined): return name == "undefined"
        case ("defined", _), ("undefined", _): return name == "defined"
        case ("none", .none), ("string", .string), ("mapping", .map), ("boolean", .bool), ("integer", .integer),
            ("float", .number), ("number", .integer), ("number", .number), ("number", .bool), ("callable", .function),
            ("callable", .macro), ("callable", .method), ("sequence", .list), ("sequence", .string),
            ("sequence", .map), ("iterable", .list), ("iterable", .string), ("iterable", .map),
            ("iterable", .undefined), ("sequence", .undefined):
            return true
        case ("none", _), ("string", _), ("mapping", _), ("boolean", _), ("integer", _), ("float", _), ("number", _),
            ("callable", _), ("sequence", _), ("iterable", _):
            return false
        case ("true", .bool(let flag)): return flag
        case ("false", .bool(let flag)): return !flag
        case ("true", _), ("false", _): return false
        default: break
        }
        if let integer = value.integerValue {
            if name == "odd" { return integer % 2 != 0 }
            if name == "even" { return integer % 2 == 0 }
        }
        if let argument = arguments.first {
            let operations = [
                "eq": "==", "equalto": "==", "==": "==", "ne": "!=", "!=": "!=", "lt": "<", "lessthan": "<", "<": "<",
                "le": "<=", "<=": "<=", "gt": ">", "greaterthan": ">", ">": ">", "ge": ">=", ">=": ">=", "in": "in",
            ]
            if let operation = operations[name] {
                return try TemplateOperators.compare(operation, value, argument, line)
            }
            if name == "divisibleby", let dividend = value.integerValue, let divisor = argument.integerValue,
                divisor != 0
            {
                return dividend % divisor == 0
            }
        }
        throw ChatTemplateError(
            line: line, problem: "the test \(name.debugDescription) is not supported for \(value.kind)")
    }
}
