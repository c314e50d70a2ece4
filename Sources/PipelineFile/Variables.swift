import CanonicalJSON
import StageGraph

/// A value that `${name}` stands for.
struct Variable: Sendable {
    var value: DraftValue
    /// What stands for it inside longer text; nil for a list or mapping.
    var text: String?
}

/// The pipeline's parameters, in the order of the file.
struct Variables: Sendable {
    private(set) var names: [Located<String>] = []
    /// Nil for a parameter whose value has a mistake that is reported already.
    private var variables: [String: Variable?] = [:]
    private var used: Set<String> = []

    mutating func add(_ name: Located<String>, _ variable: Variable?) {
        names.append(name)
        variables[name.value] = .some(variable)
    }

    /// The parameter of a name: nil when there is none, `.some(nil)` when its value is unreadable.
    mutating func use(_ name: String) -> Variable?? {
        guard let variable = variables[name] else { return nil }
        used.insert(name)
        return .some(variable)
    }

    var unused: [Located<String>] { names.filter { !used.contains($0.value) } }

    var values: JSONObject {
        JSONObject(names.compactMap { name in variables[name.value]??.value.json.map { (name.value, $0) } })
    }
}

extension DraftValue {
    /// The plain value, or nil when part of it is unreadable.
    var json: JSON? {
        switch self {
        case .scalar(let json): return json
        case .substituted(let value, _): return value.json
        case .unreadable: return nil
        case .list(let elements):
            let values = elements.compactMap(\.value.json)
            return values.count == elements.count ? .array(values) : nil
        case .mapping(let members):
            let values = members.compactMap { member in member.value.value.json.map { (member.key.value, $0) } }
            return values.count == members.count ? .object(JSONObject(values)) : nil
        }
    }

    /// The value without the notes on where it comes from.
    var unwrapped: DraftValue {
        if case .substituted(let value, _) = self { value.unwrapped } else { self }
    }

    /// Where the value was written; nil when it stands where it is used.
    var origin: ValueOrigin? {
        guard case .substituted(let value, let origin) = self else { return nil }
        return value.origin ?? origin
    }

    var isNull: Bool { if case .scalar(.null) = unwrapped { true } else { false } }

    /// What a relative path in a scalar is relative to; nil for the pipeline file's directory.
    var baseDirectory: String? { origin?.baseDirectory }

    /// The text of a scalar inside longer text; nil for a list or mapping.
    var text: String? {
        switch self {
        case .scalar(.string(let text)): text
        case .scalar(let json): json.canonicalText
        case .substituted(let value, _): value.text
        default: nil
        }
    }
}
