/// Writes the visible mark as a space again and drops the marks of the first token, where one was put before the text.
struct MetaspaceDecoder: Decoder {
    let metaspace: Metaspace

    func decode(_ pieces: [[UInt8]]) -> [[UInt8]] {
        pieces.enumerated().map { index, piece in
            var text = String.UnicodeScalarView()
            for scalar in String(decoding: piece, as: UTF8.self).unicodeScalars {
                if scalar != metaspace.mark {
                    text.append(scalar)
                } else if index > 0 || metaspace.prepends == .never {
                    text.append(" ")
                }
            }
            return Array(String(text).utf8)
        }
    }
}
