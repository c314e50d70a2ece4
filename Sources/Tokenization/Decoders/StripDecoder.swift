/// Takes up to a number of one character from both ends of each piece.
struct StripDecoder: Decoder {
    let content: Unicode.Scalar
    let start: Int
    let stop: Int

    func decode(_ pieces: [[UInt8]]) -> [[UInt8]] {
        pieces.map { piece in
            let scalars = Array(String(decoding: piece, as: UTF8.self).unicodeScalars)
            let leading = scalars.prefix(start).prefix { $0 == content }.count
            let trailing = scalars.suffix(stop).reversed().prefix { $0 == content }.count
            guard leading < scalars.count - trailing else { return [] }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars[leading..<scalars.count - trailing])
            return Array(String(text).utf8)
        }
    }
}
