/// Splits at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
    private let pattern: TextPattern
    private let behavior: SplitBehavior
    /// What lies between the matches counts as the matches.
    private let isInverted: Bool

    init(_ reader: ComponentReader) throws(TokenizerError) {
        pattern = try reader.pattern("pattern")
        isInverted = try reader.bool("invert", default: false)
        let name = try reader.string("behavior")
        guard let behavior = SplitBehavior(rawValue: name) else {
            throw .unsupported("split behavior", name, at: reader.path)
        }
        self.behavior = behavior
    }

    func apply(to text: inout PreTokenizedText) {
        if case .words(let scanner) = pattern, behavior == .isolated, !isInverted {
            // Everything matches.
            return text.split { reader, word, parts in
                scanner.forEachWord(in: reader, word) { parts.append($0) }
            }
        }
        var pieces: [(range: Range<Int>, isMatch: Bool)] = []
        text.split { reader, word, parts in
            pieces.removeAll(keepingCapacity: true)
            pattern.forEachPiece(in: reader, word) { pieces.append(($0, $1 != isInverted)) }
            parts.append(contentsOf: behavior.words(pieces).filter { !$0.isEmpty })
        }
    }
}
