/// A value of the template language, with Python's meaning.
enum TemplateValue: Sendable {
    /// A name or member that does not exist, as it was written.
    case undefined(String)
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([TemplateValue])
    /// Members in the order of insertion.
    case map([(key: String, value: TemplateValue)])
    case namespace(TemplateNamespace)
    case macro(TemplateMacro)
    case function(String)
    /// A method with the value it belongs to.
    case method(on: [TemplateValue], String)
}

/// An object whose attributes a template may assign to, from inside of loops too.
///
/// Not shared between threads: a rendering creates its own.
final class TemplateNamespace: @unchecked Sendable {
    var members: [String: TemplateValue] = [:]
}

extension TemplateValue {
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .string(let value): !value.utf8.isEmpty
        case .list(let values): !values.isEmpty
        case .map(let members): !members.isEmpty
        case .namespace, .macro, .function, .method: true
        }
    }

    /// What the value is, in the words of error messages.
    var kind: String {
        switch self {
        case .undefined(let name): "\(name), which is undefined"
        case .none: "none"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string(let text) where text.utf8.count > TemplateLimits.characters:
            "a string of more than \(TemplateLimits.characters) bytes"
        case .string: "a string"
        case .list: "a list"
        case .map: "a mapping"
        case .namespace: "a namespace"
        case .macro, .function, .method: "a function"
        }
    }

    /// The value in output, as Python's `str`.
    var text: String {
        switch self {
        case .undefined: ""
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let value): String(value)
        case .number(let value): value.description
        case .string(let value): value
        case .list(let values): "[" + values.map(\.representation).joined(separator: ", ") + "]"
        case .map(let members):
            "{"
                + members.map { "\(TemplateValue.string($0.key).representation): \($0.value.representation)" }
                .joined(separator: ", ") + "}"
        case .namespace: "<Namespace>"
        case .macro, .function, .method: "<function>"
        }
    }

    /// The value within a list in output, as Python's `repr`.
    private var representation: String {
        guard case .string(let value) = self else { return text }
        let quote: Unicode.Scalar = value.utf8.contains(0x27) && !value.utf8.contains(0x22) ? "\"" : "'"
        var output = String.UnicodeScalarView([quote])
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\n": output.append(contentsOf: "\\n".unicodeScalars)
            case "\r": output.append(contentsOf: "\\r".unicodeScalars)
            case "\t": output.append(contentsOf: "\\t".unicodeScalars)
            case "\\", quote: output.append(contentsOf: ["\\", scalar])
            default: output.append(scalar)
            }
        }
        output.append(quote)
        return String(output)
    }

    /// Equality as Python has it: numbers by value, strings by their scalars.
    static func equal(_ a: TemplateValue, _ b: TemplateValue) -> Bool {
        switch (a, b) {
        case (.undefined, .undefined), (.none, .none): true
        case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
        case (.list(let x), .list(let y)): x.count == y.count && zip(x, y).allSatisfy { equal($0, $1) }
        case (.map(let x), .map(let y)):
            x.count == y.count
                && x.allSatisfy { member in b.member(member.key).map { equal(member.value, $0) } ?? false }
        case (.namespace(let x), .namespace(let y)): x === y
        default: a.double.map { $0 == b.double } ?? false
        }
    }

    /// Booleans count as 0 and 1.
    var integerValue: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    var double: Double? {
        if case .number(let value) = self { return value }
        return integerValue.map(Double.init)
    }

    /// The member of a mapping.
    func member(_ key: String) -> TemplateValue? {
        guard case .map(let members) = self else { return nil }
        return members.last { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// What a loop runs over: elements, keys, or characters. Nil when there is nothing to run over.
    var elements: [TemplateValue]? {
        switch self {
        case .list(let values): values
        case .map(let members): members.map { .string($0.key) }
        case .string(let text) where text.utf8.count <= TemplateLimits.characters:
            text.unicodeScalars.map { .string(String($0)) }
        case .undefined: []
        default: nil
        }
    }
}
