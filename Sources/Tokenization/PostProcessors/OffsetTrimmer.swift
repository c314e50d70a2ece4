/// Takes the white space at both ends of each token out of its offsets (ByteLevel with `trim_offsets`).
struct OffsetTrimmer: PostProcessor {
    private let addsPrefixSpace: Bool

    init(_ reader: ComponentReader) throws(TokenizerError) {
        addsPrefixSpace = try reader.bool("add_prefix_space", default: true)
    }

    func process(_ encoding: inout Encoding, addsSpecialTokens: Bool, _ tokenizer: Tokenizer) {
        for index in encoding.offsets.indices {
            guard let token = tokenizer.token(encoding.ids[index]) else { continue }
            // "Ġ" is a space in byte-level vocabularies.
            let isSpace = { (scalar: Unicode.Scalar) in scalar.value == 0x120 || scalar.properties.isWhitespace }
            var leading = token.unicodeScalars.prefix(while: isSpace).count
            let trailing = token.unicodeScalars.reversed().prefix(while: isSpace).count
            var (start, end) = (encoding.offsets[index].lowerBound, encoding.offsets[index].upperBound)
            if leading > 0 {
                // The first space may be one that was added.
                if addsPrefixSpace, index == 0 || start == 0 { leading -= 1 }
                start = min(start + leading, end)
            }
            if trailing > 0, end >= trailing { end = max(end - trailing, start) }
            encoding.offsets[index] = start..<end
        }
    }
}
