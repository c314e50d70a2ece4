/// Rewrites text before it is cut into words.
protocol Normalizer: Sendable {
    func normalize(_ text: inout MappedText)
}

extension ComponentReader {
    /// A normalizer, the parts of a sequence in order.
    func normalizers() throws(TokenizerError) -> [any Normalizer] {
        switch type {
        case "Sequence":
            var steps: [any Normalizer] = []
            for component in try components("normalizers") { steps += try component.normalizers() }
            return steps
        case "NFC": return [ComposingNormalizer()]
        case "Prepend": return [PrependNormalizer(prefix: Array(try string("prepend").utf8))]
        case "Replace":
            return [ReplaceNormalizer(pattern: try pattern("pattern"), content: Array(try string("content").utf8))]
        default: throw unsupported("normalizer")
        }
    }
}
