/// Replaces each match of a pattern. The new text belongs to the last character of the match.
struct ReplaceNormalizer: Normalizer {
    let pattern: TextPattern
    let content: [UInt8]

    /// A pattern may match between any two characters.
    var growth: Int { content.count + 1 }

    func normalize(_ text: inout MappedText) {
        var output = MappedText()
        output.bytes.reserveCapacity(text.bytes.count)
        output.origins.reserveCapacity(text.bytes.count)
        text.bytes.withUnsafeBufferPointer { bytes in
            CharacterClasses.table.withUnsafeBufferPointer { classes in
                let reader = ScalarReader(bytes: bytes, classes: classes.baseAddress!)
                pattern.forEachPiece(in: reader, 0..<bytes.count) { piece, isMatch in
                    if isMatch {
                        let origin = piece.upperBound > 0 ? text.origins[piece.upperBound - 1] : .init(start: 0, end: 0)
                        output.append(content, origin: origin)
                    } else {
                        output.append(text, piece)
                    }
                }
            }
        }
        text = output
    }
}
