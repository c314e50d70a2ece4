/// Writes spaces as a visible mark and puts one before the text (SentencePiece).
struct MetaspacePreTokenizer: PreTokenizer {
    private let metaspace: Metaspace
    private let splits: Bool

    init(_ reader: ComponentReader) throws(TokenizerError) {
        metaspace = try Metaspace(reader)
        splits = try reader.bool("split", default: true)
    }

    func apply(to text: inout PreTokenizedText) {
        let mark = Array(String(metaspace.mark).utf8)
        text.rewrite { text, word, output in
            let isMarked = text.bytes[word].starts(with: mark) || text.bytes[word.lowerBound] == 0x20
            let isFirst = text.origins[word.lowerBound].start == 0
            if !isMarked, metaspace.prepends == .always || (metaspace.prepends == .first && isFirst) {
                output.append(mark, origin: text.origins[word.lowerBound])
            }
            var start = word.lowerBound
            for offset in word where text.bytes[offset] == 0x20 {
                output.append(text, start..<offset)
                output.append(mark, origin: text.origins[offset])
                start = offset + 1
            }
            output.append(text, start..<word.upperBound)
        }
        guard splits else { return }
        var pieces: [(range: Range<Int>, isMatch: Bool)] = []
        text.split { reader, word, parts in
            pieces.removeAll(keepingCapacity: true)
            TextPattern.literal(mark).forEachPiece(in: reader, word) { pieces.append(($0, $1)) }
            parts.append(contentsOf: SplitBehavior.mergedWithNext.words(pieces))
        }
    }
}
