import CanonicalJSON

/// Which teacher a stage uses, as a pipeline file says it: `{ kind: synthetic, error-rate: 0.25 }`.
public enum TeacherSpecification: Sendable, Equatable {
    /// Keys: `seed` and the rates of ``SyntheticTeacherParameters``, in kebab case.
    case synthetic(SyntheticTeacherParameters)
    /// Keys: `path`, a JSON Lines file; `id-field` and `cot-field`, the members of its lines that hold the question's
    /// id and the answer (`id` and `cot` if not given).
    case recorded(path: String?, fields: RecordedTeacher.Fields)

    static let kinds = ["synthetic", "recorded"]

    /// Reads a specification.
    ///
    /// - Throws: ``TeacherSpecificationError`` with every problem.
    public init(json: JSON) throws(TeacherSpecificationError) {
        guard let object = json.object else {
            throw TeacherSpecificationError(problems: [
                .init(key: nil, message: "a teacher should be an object with the key \"kind\", found \(json.kind)")
            ])
        }
        var reader = SpecificationReader(object)
        switch reader.kind(among: Self.kinds) {
        case "synthetic": self = .synthetic(reader.synthetic())
        case "recorded": self = reader.recorded()
        default: self = .synthetic(SyntheticTeacherParameters())
        }
        guard reader.problems.isEmpty else { throw TeacherSpecificationError(problems: reader.problems) }
    }
}

/// What is wrong with a teacher's specification.
public struct TeacherSpecificationError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Problem: Sendable, Equatable {
        /// The key that the problem is about; nil when it is about the whole.
        public let key: String?
        public let message: String
    }

    public let problems: [Problem]

    /// One line for each problem.
    public var description: String { problems.map(\.message).joined(separator: "\n") }
}

/// Takes known keys from a specification and notes what is wrong.
private struct SpecificationReader {
    let object: JSONObject
    var problems: [TeacherSpecificationError.Problem] = []

    init(_ object: JSONObject) { self.object = object }

    mutating func kind(among kinds: [String]) -> String? {
        let choices = kinds.map { "\"\($0)\"" }.joined(separator: " or ")
        guard let value = object["kind"] else {
            report("kind", "the teacher has no key \"kind\"; it should be \(choices)")
            return nil
        }
        guard let kind = value.string else {
            report("kind", "\"kind\" should be \(choices), found \(value.kind)")
            return nil
        }
        if !kinds.contains(kind) {
            report("kind", "there is no teacher of kind \"\(kind)\"" + suggestion(for: kind, among: kinds))
            return nil
        }
        return kind
    }

    mutating func synthetic() -> SyntheticTeacherParameters {
        var parameters = SyntheticTeacherParameters()
        allow(["kind", "seed"] + SyntheticTeacherParameters.rates.map(\.key), kind: "synthetic")
        if let value = object["seed"] {
            if let seed = value.integer, seed >= 0 {
                parameters.seed = UInt64(seed)
            } else {
                report("seed", "\"seed\" should be a whole number from 0 up, found \(found(value))")
            }
        }
        for (key, path) in SyntheticTeacherParameters.rates {
            guard let value = object[key] else { continue }
            if let rate = value.double, 0...1 ~= rate {
                parameters[keyPath: path] = rate
            } else {
                report(key, "\"\(key)\" should be a number from 0 to 1, found \(found(value))")
            }
        }
        return parameters
    }

    mutating func recorded() -> TeacherSpecification {
        allow(["kind", "path", "id-field", "cot-field"], kind: "recorded")
        var fields = RecordedTeacher.Fields()
        fields.id = text("id-field") ?? fields.id
        fields.cot = text("cot-field") ?? fields.cot
        return .recorded(path: text("path"), fields: fields)
    }

    private mutating func text(_ key: String) -> String? {
        guard let value = object[key] else { return nil }
        guard let text = value.string, !text.isEmpty else {
            report(key, "\"\(key)\" should be a text that is not empty, found \(found(value))")
            return nil
        }
        return text
    }

    private mutating func allow(_ keys: [String], kind: String) {
        for key in object.keys where !keys.contains(key) {
            report(key, "a \(kind) teacher has no key \"\(key)\"" + suggestion(for: key, among: keys))
        }
    }

    private mutating func report(_ key: String, _ message: String) {
        problems.append(.init(key: key, message: message))
    }

    /// A number in digits, other values by their kind.
    private func found(_ value: JSON) -> String { value.double == nil ? value.kind : value.canonicalText }
}
