/// The stage types a pipeline may use, by name.
public struct StageLibrary: Sendable {
    /// In the order of registration.
    public let types: [any Stage.Type]

    /// Two types of one name are a programmer's mistake and trap.
    public init(_ types: [any Stage.Type]) {
        self.types = types
        precondition(Set(types.map { $0.signature.name }).count == types.count, "two stage types share a name")
    }

    public subscript(name: String) -> (any Stage.Type)? { types.first { $0.signature.name == name } }

    public var names: [String] { types.map { $0.signature.name } }
}
