/// A member of a JSON object is missing or of the wrong kind.
public struct JSONFieldError: Error, Equatable, CustomStringConvertible {
    public let field: String
    public let problem: String

    public init(field: String, problem: String) {
        self.field = field
        self.problem = problem
    }

    public var description: String { "field \"\(field)\" \(problem)" }
}

/// Typed access to members, for decoding records: each throws ``JSONFieldError`` naming the field.
extension JSONObject {
    public func string(_ key: String) throws(JSONFieldError) -> String { try require(key, "a string", \.string) }
    public func integer(_ key: String) throws(JSONFieldError) -> Int { try require(key, "an integer", \.integer) }
    public func double(_ key: String) throws(JSONFieldError) -> Double { try require(key, "a number", \.double) }
    public func bool(_ key: String) throws(JSONFieldError) -> Bool { try require(key, "a boolean", \.bool) }
    public func array(_ key: String) throws(JSONFieldError) -> [JSON] { try require(key, "an array", \.array) }
    public func object(_ key: String) throws(JSONFieldError) -> JSONObject { try require(key, "an object", \.object) }

    /// Nil when the member is missing or null; an error when it is of another kind.
    public func optionalString(_ key: String) throws(JSONFieldError) -> String? {
        if self[key]?.isNull ?? true { return nil }
        return try string(key)
    }

    /// Nil when the member is missing or null; an error when it is of another kind.
    public func optionalInteger(_ key: String) throws(JSONFieldError) -> Int? {
        if self[key]?.isNull ?? true { return nil }
        return try integer(key)
    }

    /// Nil when the member is missing or null; an error when it is of another kind.
    public func optionalDouble(_ key: String) throws(JSONFieldError) -> Double? {
        if self[key]?.isNull ?? true { return nil }
        return try double(key)
    }

    /// Nil when the member is missing or null; an error when it is of another kind.
    public func optionalBool(_ key: String) throws(JSONFieldError) -> Bool? {
        if self[key]?.isNull ?? true { return nil }
        return try bool(key)
    }

    private func require<Value>(
        _ key: String, _ expected: String, _ read: (JSON) -> Value?
    ) throws(JSONFieldError) -> Value {
        guard let member = self[key] else { throw JSONFieldError(field: key, problem: "is missing") }
        guard let value = read(member) else {
            throw JSONFieldError(field: key, problem: "should be \(expected), found \(member.kind)")
        }
        return value
    }
}
