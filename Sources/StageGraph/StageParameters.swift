import CanonicalJSON

/// A file or directory named by a parameter.
public struct SourcePath: Hashable, Sendable {
    /// The parameter that names it, with the path inside nested parameters: "teacher.path".
    public let role: String
    /// The path to open.
    public let path: String
    /// The path as the user wrote it, for messages.
    public let written: String
    public let isDirectory: Bool
    public let location: SourceLocation?

    public init(role: String, path: String, written: String, isDirectory: Bool, location: SourceLocation?) {
        self.role = role
        self.path = path
        self.written = written
        self.isDirectory = isDirectory
        self.location = location
    }
}

/// A stage's parameters after validation: every declared parameter is present, given or by default.
public struct StageParameters: Sendable {
    /// All values; paths are as written.
    public let values: JSONObject
    /// The values that are part of the action key: no paths and nothing that never changes a result.
    public let keyed: JSONObject
    /// The files and directories the parameters name, sorted by role.
    public let sources: [SourcePath]

    public init(values: JSONObject, keyed: JSONObject, sources: [SourcePath]) {
        self.values = values
        self.keyed = keyed
        self.sources = sources
    }

    /// The value of a declared parameter; asking for another is a programmer's mistake and traps.
    public subscript(name: String) -> JSON {
        guard let value = values[name] else { preconditionFailure("undeclared parameter \(name)") }
        return value
    }

    public func integer(_ name: String) -> Int { self[name].integer! }
    public func double(_ name: String) -> Double { self[name].double! }
    public func string(_ name: String) -> String { self[name].string! }
    public func bool(_ name: String) -> Bool { self[name].bool! }
    public func strings(_ name: String) -> [String] { self[name].array!.map { $0.string! } }
    public func optionalInteger(_ name: String) -> Int? { self[name].integer }
    public func optionalDouble(_ name: String) -> Double? { self[name].double }
    public func optionalString(_ name: String) -> String? { self[name].string }
}
