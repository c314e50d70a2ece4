/// Rewrites text before it is cut into words.
protocol Normalizer: Sendable {
    func normalize(_ text: inout MappedText)

    /// How many times longer a text can become.
    var growth: Int { get }
}

extension Normalizer {
    // NFC writes at most three characters for one.
    var growth: Int { 3 }
}

extension [any Normalizer] {
    /// - Throws: ``TokenizerError`` when the steps could together make a text so long that memory would end.
    func checkGrowth(_ path: String) throws(TokenizerError) {
        var growth = 1
        for step in self {
            growth *= step.growth
            guard growth <= 1000 else {
                throw TokenizerError(path: path, problem: "the steps together could make a text over 1000 times longer")
            }
        }
    }
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
