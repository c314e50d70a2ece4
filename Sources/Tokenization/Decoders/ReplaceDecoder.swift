/// Replaces each match of a pattern within a piece.
struct ReplaceDecoder: Decoder {
    let pattern: TextPattern
    let content: [UInt8]

    func decode(_ pieces: [[UInt8]]) -> [[UInt8]] {
        CharacterClasses.table.withUnsafeBufferPointer { classes in
            pieces.map { piece in
                piece.withUnsafeBufferPointer { bytes in
                    var output: [UInt8] = []
                    pattern.forEachPiece(
                        in: ScalarReader(bytes: bytes, classes: classes.baseAddress!), 0..<bytes.count
                    ) { output.append(contentsOf: $1 ? content : Array(bytes[$0])) }
                    return output
                }
            }
        }
    }
}
