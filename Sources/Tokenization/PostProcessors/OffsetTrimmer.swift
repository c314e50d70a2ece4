/// Takes the white space at both ends of each token out of its offsets (ByteLevel with `trim_offsets`).
struct OffsetTrimmer: PostProcessor {
    private let addsPrefixSpace: Bool

    init(_ reader: ComponentReader) throws(TokenizerError) {
        addsPrefixSpace = try reader.bool("add_prefix_space", default: true)
    }

    func process(_ encoding: inout Encoding, of text: String, addsSpecialTokens: Bool, _ tokenizer: Tokenizer) {
        let bytes = Array(text.utf8)
        for index in encoding.offsets.indices {
            guard let token = tokenizer.token(encoding.ids[index]) else { continue }
            // "Ġ" is a space in byte-level vocabularies.
            let isSpace = { (scalar: Unicode.Scalar) in scalar.value == 0x120 || scalar.properties.isWhitespace }
            var leading = token.unicodeScalars.prefix(while: isSpace).count
            var trailing = token.unicodeScalars.reversed().prefix(while: isSpace).count
            var (start, end) = (encoding.offsets[index].lowerBound, encoding.offsets[index].upperBound)
            // A single first space may be one that was added.
            if leading == 1, addsPrefixSpace, index == 0 || start == 0 { leading = 0 }
            // As many characters as the token has spaces, whatever characters they are.
            while leading > 0, start < end {
                repeat { start += 1 } while start < end && bytes[start] & 0xC0 == 0x80
                leading -= 1
            }
            if OffsetTrimmer.hasCharacters(trailing, in: bytes[..<end]) {
                while trailing > 0, end > start {
                    repeat { end -= 1 } while end > start && bytes[end] & 0xC0 == 0x80
                    trailing -= 1
                }
            }
            encoding.offsets[index] = start..<end
        }
    }

    private static func hasCharacters(_ count: Int, in bytes: ArraySlice<UInt8>) -> Bool {
        var rest = count
        for byte in bytes.reversed() where rest > 0 && byte & 0xC0 != 0x80 { rest -= 1 }
        return rest == 0
    }
}
