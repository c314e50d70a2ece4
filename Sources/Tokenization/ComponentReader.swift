import CanonicalJSON

/// A component of tokenizer.json with its place in the file, for errors that name it.
struct ComponentReader {
    let object: JSONObject
    let path: String
    let type: String

    init(_ value: JSON, at path: String) throws(TokenizerError) {
        guard let object = value.object else {
            throw TokenizerError(path: path, problem: "should be an object, found \(value.kind)")
        }
        guard let type = object["type"]?.string else { throw TokenizerError(path: path, problem: "has no type") }
        (self.object, self.path, self.type) = (object, path, type)
    }

    /// The component in a member of the file that may be null or missing.
    static func optional(_ file: JSONObject, _ key: String) throws(TokenizerError) -> ComponentReader? {
        guard let value = file[key], !value.isNull else { return nil }
        return try ComponentReader(value, at: key)
    }

    func bool(_ key: String, default fallback: Bool? = nil) throws(TokenizerError) -> Bool {
        if let value = object[key]?.bool { return value }
        guard object[key] == nil, let fallback else { throw wrong(key, "a boolean") }
        return fallback
    }

    func string(_ key: String) throws(TokenizerError) -> String {
        guard let value = object[key]?.string else { throw wrong(key, "a string") }
        return value
    }

    func count(_ key: String) throws(TokenizerError) -> Int {
        guard let value = object[key]?.integer, value >= 0 else { throw wrong(key, "a count") }
        return value
    }

    /// A string of exactly one scalar.
    func scalar(_ key: String) throws(TokenizerError) -> Unicode.Scalar {
        let scalars = try string(key).unicodeScalars
        guard scalars.count == 1 else { throw wrong(key, "one character") }
        return scalars.first!
    }

    /// The components in a list, each with its own path.
    func components(_ key: String) throws(TokenizerError) -> [ComponentReader] {
        guard let values = object[key]?.array else { throw wrong(key, "a list") }
        var readers: [ComponentReader] = []
        for (index, value) in values.enumerated() {
            readers.append(try ComponentReader(value, at: "\(path).\(key)[\(index)]"))
        }
        return readers
    }

    /// A pattern, either a string to find literally or a regular expression.
    func pattern(_ key: String) throws(TokenizerError) -> TextPattern {
        if let literal = object[key]?["String"]?.string { return .literal(Array(literal.utf8)) }
        guard let source = object[key]?["Regex"]?.string else { throw wrong(key, "{\"String\": …} or {\"Regex\": …}") }
        return try TextPattern(regex: source, at: "\(path).\(key)")
    }

    func unsupported(_ kind: String) -> TokenizerError { .unsupported(kind, type, at: path) }

    private func wrong(_ key: String, _ expected: String) -> TokenizerError {
        let found = object[key].map { ", found \($0.kind)" } ?? ""
        return TokenizerError(path: "\(path).\(key)", problem: "should be \(expected)\(found)")
    }
}
