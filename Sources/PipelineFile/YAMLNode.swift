import StageGraph

/// A YAML node with its place: what the YAML parser delivers, checked and without its library's types.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// A scalar's text. Only a plain one can be null, a boolean or a number; a quoted one is a string.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// Keys are unique.
        case mapping([(key: Located<String>, value: YAMLNode)])
        /// A mistake that is reported already.
        case unreadable
    }

    var content: Content
    var location: SourceLocation

    /// The node in the words of error messages.
    var found: String {
        switch content {
        case .scalar(let text, isPlain: true) where text.isEmpty: "nothing"
        case .scalar(let text, _):
            text.unicodeScalars.count > 60
                ? "\"\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(60))))…\"" : "\"\(text)\""
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .unreadable: "an unreadable value"
        }
    }

    var isUnreadable: Bool { if case .unreadable = content { true } else { false } }
}
