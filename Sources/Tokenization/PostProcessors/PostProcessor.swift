/// Finishes an encoding: adds special tokens, trims offsets.
protocol PostProcessor: Sendable {
    /// Tokens it puts before a text.
    var tokensBefore: [Int32] { get }
    /// Tokens it puts behind a text.
    var tokensAfter: [Int32] { get }

    /// - Parameter text: the text that was encoded.
    func process(_ encoding: inout Encoding, of text: String, addsSpecialTokens: Bool, _ tokenizer: Tokenizer)
}

extension PostProcessor {
    var tokensBefore: [Int32] { [] }
    var tokensAfter: [Int32] { [] }
}

extension ComponentReader {
    /// A post-processor, the parts of a sequence in order.
    func postProcessors(
        contains: (Int32) -> Bool
    ) throws(TokenizerError) -> [any PostProcessor] {
        switch type {
        case "Sequence":
            var steps: [any PostProcessor] = []
            for component in try components("processors") {
                steps += try component.postProcessors(contains: contains)
            }
            return steps
        case "ByteLevel": return try bool("trim_offsets", default: true) ? [try OffsetTrimmer(self)] : []
        case "TemplateProcessing": return [try TemplateProcessor(self, contains: contains)]
        default: throw unsupported("post-processor")
        }
    }
}
