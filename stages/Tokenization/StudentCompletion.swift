import Reasoning
import Tokenization

extension StudentTokenizer {
    /// What the student is to write of a chain of thought, as ids with their spans in it. The space before it and the
    /// end token have none.
    func completion(of cot: String, after prompt: StudentPrompt) -> TokenizedText {
        let text = prompt.completion(for: cot)
        let length = cot.utf8.count
        let shift = text.utf8.count - length
        let encoding = tokenizer.encodeWithOffsets(text)
        let spans = encoding.offsets.map { span in
            max(0, span.lowerBound - shift)..<max(0, span.upperBound - shift)
        }
        return TokenizedText(text: cot, ids: encoding.ids + [Int32(endToken)], spans: spans + [length..<length])
    }
}
