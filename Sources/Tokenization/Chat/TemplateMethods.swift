/// Methods of strings, mappings and lists.
enum TemplateMethods {
    private static let ofStrings: Set<String> = [
        "strip", "lstrip", "rstrip", "split", "startswith", "endswith", "upper", "lower", "title", "capitalize",
        "replace", "join", "find", "count", "removeprefix", "removesuffix", "splitlines",
    ]
    private static let ofMaps: Set<String> = ["items", "keys", "values", "get"]

    static func has(_ name: String, _ value: TemplateValue) -> Bool {
        switch value {
        case .string: ofStrings.contains(name)
        case .map: ofMaps.contains(name)
        default: false
        }
    }

    static func call(
        _ name: String, on value: TemplateValue, _ call: TemplateCall, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        switch value {
        case .string(let text): return try string(name, text, call, line)
        case .map(let members):
            switch name {
            case "items": return .list(members.map { .list([.string($0.key), $0.value]) })
            case "keys": return .list(members.map { .string($0.key) })
            case "values": return .list(members.map(\.value))
            default: return call.argument(0).flatMap { value.member($0.text) } ?? call.argument(1) ?? .none
            }
        default: throw ChatTemplateError(line: line, problem: "\(value.kind) has no method \(name.debugDescription)")
        }
    }

    private static func string(
        _ name: String, _ text: String, _ call: TemplateCall, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        func argument(_ index: Int, _ key: String = "") throws(ChatTemplateError) -> String? {
            switch call.argument(index, key) {
            case nil, .some(.none): return nil
            case .string(let text): return text
            case .some(let other):
                throw ChatTemplateError(line: line, problem: "\(name) needs a string, found \(other.kind)")
            }
        }
        func required(_ index: Int) throws(ChatTemplateError) -> String {
            guard let text = try argument(index) else {
                throw ChatTemplateError(line: line, problem: "\(name) needs \(index + 1) arguments")
            }
            return text
        }
        switch name {
        case "strip": return .string(TemplateStrings.strip(text, try argument(0)))
        case "lstrip": return .string(TemplateStrings.strip(text, try argument(0), right: false))
        case "rstrip": return .string(TemplateStrings.strip(text, try argument(0), left: false))
        case "split":
            let separator = try argument(0, "sep")
            guard separator.map({ !$0.utf8.isEmpty }) ?? true else {
                throw ChatTemplateError(line: line, problem: "split needs a separator that is not empty")
            }
            let limit = call.argument(1, "maxsplit")?.integerValue ?? -1
            return .list(TemplateStrings.split(text, separator, limit: limit).map(TemplateValue.string))
        case "splitlines":
            var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
            if lines.last?.utf8.isEmpty ?? false { lines.removeLast() }
            return .list(lines.map(TemplateValue.string))
        case "startswith": return .bool(text.utf8.starts(with: try required(0).utf8))
        case "endswith": return .bool(text.utf8.reversed().starts(with: try required(0).utf8.reversed()))
        case "removeprefix":
            let prefix = try required(0)
            guard text.utf8.starts(with: prefix.utf8) else { return .string(text) }
            return .string(String(decoding: Array(text.utf8.dropFirst(prefix.utf8.count)), as: UTF8.self))
        case "removesuffix":
            let suffix = try required(0)
            guard text.utf8.reversed().starts(with: suffix.utf8.reversed()) else { return .string(text) }
            return .string(String(decoding: Array(text.utf8.dropLast(suffix.utf8.count)), as: UTF8.self))
        case "upper": return .string(text.uppercased())
        case "lower": return .string(text.lowercased())
        case "capitalize": return .string(TemplateStrings.capitalized(text))
        case "title": return .string(TemplateFilters.title(text))
        case "replace":
            let (old, new) = (try required(0), try required(1))
            let limit = call.argument(2)?.integerValue ?? -1
            return .string(try TemplateStrings.replace(text, old, new, limit: limit, line))
        case "join":
            return .string(try TemplateStrings.join((call.argument(0)?.elements ?? []).map(\.text), text, line))
        case "find":
            let bytes = Array(text.utf8)
            let found = TemplateStrings.range(of: try required(0), in: text)?.lowerBound
            return .integer(found.map { String(decoding: bytes[..<$0], as: UTF8.self).unicodeScalars.count } ?? -1)
        default:
            let part = try required(0)
            guard !part.utf8.isEmpty else { return .integer(text.unicodeScalars.count + 1) }
            return .integer(TemplateStrings.split(text, part).count - 1)
        }
    }
}
