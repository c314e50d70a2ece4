/// Joins all pieces and reads their characters as bytes (``ByteAlphabet``). A piece with other characters stands for
/// itself. What is not valid UTF-8 becomes U+FFFD, one for each broken sequence.
struct ByteLevelDecoder: Decoder {
    func decode(_ pieces: [[UInt8]]) -> [[UInt8]] {
        var bytes: [UInt8] = []
        for piece in pieces { bytes.append(contentsOf: ByteAlphabet.decode(piece) ?? piece) }
        return [Array(String(decoding: bytes, as: UTF8.self).utf8)]
    }
}
