import CanonicalJSON

/// Checks one stage's parameters against the declared ones, fills in defaults and collects the paths.
///
/// Every mistake is noted and the rest is checked all the same. A value is nil where it has a mistake.
struct ParameterResolution {
    /// Where a value belongs and where it was written.
    struct Place {
        /// The parameter with the path inside nested ones: "teacher.path"; empty for the stage's parameters as a whole.
        var path: String
        var location: SourceLocation?
        var origin: ValueOrigin?

        func member(_ name: String, at location: SourceLocation?) -> Place {
            let step = StageName.isWord(name) ? name : "[\(JSON.string(name).canonicalText)]"
            let separator = path.isEmpty || step.hasPrefix("[") ? "" : "."
            return Place(path: path + separator + step, location: location ?? self.location, origin: origin)
        }

        func element(_ index: Int, at location: SourceLocation?) -> Place {
            Place(path: "\(path)[\(index)]", location: location ?? self.location, origin: origin)
        }
    }

    /// A checked value, and what of it is part of the action key: nil when nothing is.
    struct Resolved {
        var value: JSON
        var keyed: JSON?
    }

    typealias Members = [(key: Located<String>, value: Located<DraftValue>)]

    let stageType: String
    /// What paths are relative to.
    let baseDirectory: String
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var sources: [SourcePath] = []

    init(stageType: String, baseDirectory: String) {
        self.stageType = stageType
        self.baseDirectory = baseDirectory
    }

    /// The parameters of a stage, or nil when some of them have mistakes.
    mutating func parameters(
        _ given: Members, declared: [Parameter], stageLocation: SourceLocation?
    ) -> StageParameters? {
        let place = Place(path: "", location: stageLocation)
        guard let (values, keyed) = members(given, declared: declared, owner: "It", at: place) else { return nil }
        let ordered = sources.sorted { compareUTF8($0.role, $1.role) < 0 }
        return StageParameters(values: values, keyed: keyed, sources: ordered)
    }

    /// The members of an object. `owner` names it in lists of valid names: "It takes: a, b".
    mutating func members(
        _ given: Members, declared: [Parameter], owner: String, elsewhere: [String: [String]] = [:], at place: Place
    ) -> (values: JSONObject, keyed: JSONObject)? {
        var found: [String: Located<DraftValue>] = [:]
        /// Names that are missing only because they are misspelt.
        var misspelt: Set<String> = []
        var isComplete = true
        for (key, value) in given {
            if found[key.value] != nil {
                report("parameter \"\(place.member(key.value, at: nil).path)\" is given twice", at: key.location)
                isComplete = false
            } else if declared.contains(where: { $0.name == key.value }) {
                found[key.value] = value
            } else {
                if let meant = reportUnknown(key, declared: declared, owner: owner, elsewhere: elsewhere, at: place) {
                    misspelt.insert(meant)
                }
                isComplete = false
            }
        }
        var values: [(String, JSON)] = []
        var keyed: [(String, JSON)] = []
        for parameter in declared {
            guard let resolved = member(parameter, found[parameter.name], isMisspelt: misspelt, at: place) else {
                isComplete = false
                continue
            }
            values.append((parameter.name, resolved.value))
            if parameter.isKeyed, let key = resolved.keyed { keyed.append((parameter.name, key)) }
        }
        return isComplete ? (JSONObject(values), JSONObject(keyed)) : nil
    }

    private mutating func member(
        _ parameter: Parameter, _ given: Located<DraftValue>?, isMisspelt misspelt: Set<String>, at place: Place
    ) -> Resolved? {
        guard let given = given ?? parameter.defaultValue.map({ Located(DraftValue($0)) }) else {
            guard !misspelt.contains(parameter.name) else { return nil }
            let path = place.member(parameter.name, at: nil).path
            report(
                "missing parameter \"\(path)\" of stage type \(stageType): \(parameter.kind.expectation)", place)
            return nil
        }
        return value(
            given.value, parameter.kind, allowsNull: parameter.defaultValue?.isNull ?? false,
            at: place.member(parameter.name, at: given.location))
    }

    /// Notes an unknown name and returns the declared one that was meant, if one is near.
    private mutating func reportUnknown(
        _ key: Located<String>, declared: [Parameter], owner: String, elsewhere: [String: [String]], at place: Place
    ) -> String? {
        let path = place.member(key.value, at: nil).path
        var message = "unknown parameter \"\(path)\" of stage type \(stageType)"
        var nearest: String?
        if let cases = elsewhere[key.value] {
            message += "; it belongs to \(cases.joined(separator: ", "))"
        } else if declared.isEmpty {
            message += "; \(owner == "It" ? "it" : owner) takes none"
        } else {
            nearest = nearestName(to: key.value, among: declared.lazy.map(\.name))
            message += suggestion(for: key.value, among: declared.map(\.name), label: "\(owner) takes", listing: 24)
        }
        report(message, Place(path: path, location: key.location ?? place.location, origin: place.origin))
        return nearest
    }

    mutating func add(_ source: SourcePath) { sources.append(source) }

    mutating func report(_ message: String, _ place: Place) {
        report(message + (place.origin.map { " (from \($0.description))" } ?? ""), at: place.location)
    }

    private mutating func report(_ message: String, at location: SourceLocation?) {
        diagnostics.append(Diagnostic(message, at: location))
    }
}

extension DraftValue {
    /// A value that was not written anywhere, such as a default.
    init(_ json: JSON) {
        switch json {
        case .array(let elements): self = .list(elements.map { Located(DraftValue($0)) })
        case .object(let object):
            self = .mapping(object.members.map { (Located($0.key), Located(DraftValue($0.value))) })
        default: self = .scalar(json)
        }
    }

    /// The value in the words of error messages.
    var found: String {
        switch self {
        case .scalar(.string(let text)):
            text.unicodeScalars.count > 60
                ? "\"\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(60))))…\"" : "\"\(text)\""
        case .scalar(let json): json.canonicalText
        case .list: "a list"
        case .mapping: "a mapping"
        case .substituted(let value, _): value.found
        case .unreadable: "an unreadable value"
        }
    }
}
