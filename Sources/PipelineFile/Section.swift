import StageGraph

/// A mapping with fixed keys, such as a stage: its members by key, and what is wrong with the keys.
struct Section {
    private(set) var members: [String: YAMLNode] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    /// Required keys that are missing.
    private(set) var missing: Set<String> = []

    /// - Parameters:
    ///   - owner: What the mapping is, in the words of error messages.
    init(
        _ given: [(key: Located<String>, value: YAMLNode)], known: [String], required: [String], owner: String,
        at location: SourceLocation
    ) {
        var misspelt: Set<String> = []
        for (key, node) in given {
            if known.contains(key.value) {
                members[key.value] = node
                continue
            }
            if let meant = nearestName(to: key.value, among: known) { misspelt.insert(meant) }
            let hint = suggestion(for: key.value, among: known, label: "The keys are")
            diagnostics.append(Diagnostic("unknown key \"\(key.value)\" in \(owner)\(hint)", at: key.location))
        }
        missing = Set(required.filter { members[$0] == nil })
        for key in required where members[key] == nil && !misspelt.contains(key) {
            diagnostics.append(Diagnostic("missing \"\(key)\" in \(owner)", at: location))
        }
    }

    subscript(key: String) -> YAMLNode? { members[key] }
}
