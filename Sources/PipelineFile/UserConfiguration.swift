import StageGraph

/// What a user says once for all pipelines: `$XDG_CONFIG_HOME/retort/config.yaml`.
public struct UserConfiguration: Sendable {
    public var tiers: [TierDeclaration] = []
    /// The file of the key that signs results.
    public var signingKey: String?

    public init() {}

    /// - Parameters:
    ///   - file: the file's name in messages; relative paths in it are relative to its folder.
    /// - Throws: ``InvalidPipeline`` with every mistake, each with its line and column.
    public static func parse(_ bytes: [UInt8], file: String) throws(InvalidPipeline) -> UserConfiguration {
        var yaml = YAMLReader(try SourceText(bytes, file: file))
        var configuration = UserConfiguration()
        guard let root = yaml.root() else {
            guard yaml.diagnostics.isEmpty else { throw InvalidPipeline(yaml.diagnostics) }
            return configuration
        }
        guard case .mapping(let members) = root.content else {
            throw InvalidPipeline(
                yaml.diagnostics + [
                    Diagnostic("a configuration file is a mapping, found \(root.found)", at: root.location)
                ])
        }
        let section = Section(
            members, known: ["tiers", "signing-key"], required: [], owner: "the configuration file", at: root.location)
        let slash = file.utf8.lastIndex(of: UInt8(ascii: "/"))
        var reader = TierReader(baseDirectory: slash.map { String(file[..<$0]) } ?? ".")
        configuration.tiers = reader.tiers(section["tiers"])
        configuration.signingKey = reader.text("signing-key", section).map { reader.path($0.value) }
        let diagnostics = yaml.diagnostics + section.diagnostics + reader.diagnostics
        guard diagnostics.isEmpty else { throw InvalidPipeline(diagnostics) }
        return configuration
    }
}
