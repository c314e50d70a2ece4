/// What an artifact holds: a name and a version, written `dual-pairs/1`.
public struct ArtifactType: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Lower-case letters, digits and hyphens, a letter first.
    public let name: String
    /// Counted from 1; raised when the meaning of the content changes.
    public let version: Int

    /// - Precondition: The name is well-formed and the version at least 1; use ``init(_:)`` for foreign text.
    public init(name: String, version: Int) {
        precondition(
            ArtifactType.isName(name) && version >= 1, "\(name)/\(version) is no artifact type, such as dual-pairs/1")
        self.name = name
        self.version = version
    }

    /// Parses `name/version`; nil where the text is no such thing.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, ArtifactType.isName(parts[0]), let version = Int(parts[1]), version >= 1,
            String(version) == parts[1]
        else { return nil }
        self.name = String(parts[0])
        self.version = version
    }

    public var description: String { "\(name)/\(version)" }

    public static func < (a: ArtifactType, b: ArtifactType) -> Bool { (a.name, a.version) < (b.name, b.version) }

    private static func isName(_ text: some StringProtocol) -> Bool {
        func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }
}
