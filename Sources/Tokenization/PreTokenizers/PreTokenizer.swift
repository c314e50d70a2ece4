/// Cuts text into words; the model never joins two of them.
protocol PreTokenizer: Sendable {
    /// Cuts the words of a text further. It may also change the text.
    func apply(to text: inout PreTokenizedText)
}

extension ComponentReader {
    /// A pre-tokenizer, the parts of a sequence in order.
    ///
    /// - Returns: the steps, and whether the last one turns words into the characters of ``ByteAlphabet``, which the
    ///   model does by itself.
    func preTokenizers() throws(TokenizerError) -> (steps: [any PreTokenizer], isByteLevel: Bool) {
        var steps: [any PreTokenizer] = []
        var isByteLevel = false
        for component in type == "Sequence" ? try components("pretokenizers") : [self] {
            guard !isByteLevel else {
                throw TokenizerError(path: component.path, problem: "a pre-tokenizer after ByteLevel is not supported")
            }
            switch component.type {
            case "ByteLevel":
                steps.append(try ByteLevelPreTokenizer(component))
                isByteLevel = true
            case "Digits": steps.append(try DigitsPreTokenizer(component))
            case "Metaspace": steps.append(try MetaspacePreTokenizer(component))
            case "Split": steps.append(try SplitPreTokenizer(component))
            default: throw component.unsupported("pre-tokenizer")
            }
        }
        return (steps, isByteLevel)
    }
}
