/// Splits as GPT-2 does, unless told not to. The model takes the words' bytes by itself.
struct ByteLevelPreTokenizer: PreTokenizer {
    private let addsPrefixSpace: Bool
    private let splits: Bool

    init(_ reader: ComponentReader) throws(TokenizerError) {
        addsPrefixSpace = try reader.bool("add_prefix_space", default: true)
        splits = try reader.bool("use_regex", default: true)
    }

    func apply(to text: inout PreTokenizedText) {
        if addsPrefixSpace {
            text.rewrite { text, word, output in
                if text.bytes[word.lowerBound] != 0x20 { output.append([0x20], origin: text.origins[word.lowerBound]) }
                output.append(text, word)
            }
        }
        guard splits else { return }
        let scanner = WordScanner(.gpt2)
        text.split { reader, word, parts in
            scanner.forEachWord(in: reader, word) { parts.append($0) }
        }
    }
}
