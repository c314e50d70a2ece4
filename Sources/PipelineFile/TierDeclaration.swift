import StageGraph

/// A tier as a pipeline file or a user's configuration declares it: text with its place, not yet understood.
public struct TierDeclaration: Sendable {
    public var url: Located<String>
    /// Nil where the file does not say.
    public var isReadOnly: Bool?
    /// Public keys as written; nil where everybody is trusted.
    public var trusted: [Located<String>]?
    /// Relative paths in them are relative to the file.
    public var certificateAuthority: String?
    public var tokenFile: String?
    public var tokenVariable: String?

    public init(url: Located<String>) { self.url = url }
}

/// Reads lists of tiers.
struct TierReader {
    private static let keys = ["url", "access", "trusted", "certificate-authority", "token-variable", "token-file"]

    /// What relative paths are relative to.
    let baseDirectory: String
    private(set) var diagnostics: [Diagnostic] = []

    init(baseDirectory: String) { self.baseDirectory = baseDirectory }

    mutating func tiers(_ node: YAMLNode?) -> [TierDeclaration] {
        switch node?.content {
        case nil, .unreadable, .scalar("", isPlain: true): return []
        case .sequence(let nodes): return nodes.compactMap { tier($0) }
        default:
            report("\"tiers\" takes a list of URLs or of mappings with a \"url\", found \(node!.found)", node!.location)
            return []
        }
    }

    private mutating func tier(_ node: YAMLNode) -> TierDeclaration? {
        switch node.content {
        case .unreadable: return nil
        case .scalar(let text, _) where !text.isEmpty:
            return TierDeclaration(url: Located(text, at: node.location))
        case .mapping(let members):
            let section = Section(
                members, known: TierReader.keys, required: ["url"], owner: "a tier", at: node.location)
            diagnostics += section.diagnostics
            guard let url = text("url", section) else { return nil }
            var tier = TierDeclaration(url: url)
            tier.isReadOnly = isReadOnly(section)
            tier.trusted = trusted(section["trusted"])
            tier.certificateAuthority = text("certificate-authority", section).map { path($0.value) }
            tier.tokenFile = text("token-file", section).map { path($0.value) }
            tier.tokenVariable = text("token-variable", section)?.value
            return tier
        default:
            report("a tier is a URL or a mapping with a \"url\", found \(node.found)", node.location)
            return nil
        }
    }

    private mutating func isReadOnly(_ section: Section) -> Bool? {
        guard let access = text("access", section) else { return nil }
        switch access.value {
        case "read-only": return true
        case "read-write": return false
        default:
            report(
                "\"access\" of a tier is read-only or read-write, found \"\(access.value)\"", access.location)
            return nil
        }
    }

    private mutating func trusted(_ node: YAMLNode?) -> [Located<String>]? {
        switch node?.content {
        case nil, .unreadable: return nil
        case .scalar(let text, _)? where !text.isEmpty: return [Located(text, at: node!.location)]
        case .sequence(let nodes)?:
            return nodes.compactMap { node in
                if case .scalar(let text, _) = node.content { return Located(text, at: node.location) }
                report("\"trusted\" of a tier lists public keys, found \(node.found)", node.location)
                return nil
            }
        default:
            report("\"trusted\" of a tier lists public keys, found \(node!.found)", node!.location)
            return nil
        }
    }

    /// A scalar's text; a mistake where it is something else.
    mutating func text(_ key: String, _ section: Section) -> Located<String>? {
        guard let node = section[key], !node.isUnreadable else { return nil }
        guard case .scalar(let text, _) = node.content, !text.isEmpty else {
            report("\"\(key)\" takes a text, found \(node.found)", node.location)
            return nil
        }
        return Located(text, at: node.location)
    }

    func path(_ text: String) -> String {
        text.hasPrefix("/") || text.hasPrefix("~/") ? text : "\(baseDirectory)/\(text)"
    }

    private mutating func report(_ message: String, _ location: SourceLocation?) {
        diagnostics.append(Diagnostic(message, at: location))
    }
}
