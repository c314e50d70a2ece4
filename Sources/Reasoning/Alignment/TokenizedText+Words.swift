extension TokenizedText {
    /// Two texts with their words as tokens, for want of a tokenizer: runs of letters and digits, and runs of one
    /// symbol, each with the white space before it. Words are equal when their bytes are.
    ///
    /// The identifiers are in the order of the words' bytes, so that they do not depend on which side comes first.
    /// O(texts), and O(words log words) for the order.
    public static func words(
        correct: String, wrong: String
    ) -> (correct: TokenizedText, wrong: TokenizedText) {
        let (a, b) = (spans(correct), spans(wrong))
        let (aBytes, bBytes) = (Array(correct.utf8), Array(wrong.utf8))
        let words = Set(a.map { aBytes[$0] }).union(b.map { bBytes[$0] })
        var numbers: [ArraySlice<UInt8>: Int32] = [:]
        for (number, word) in words.sorted(by: { $0.lexicographicallyPrecedes($1) }).enumerated() {
            numbers[word] = Int32(number)
        }
        return (
            TokenizedText(text: correct, ids: a.map { numbers[aBytes[$0]]! }, spans: a),
            TokenizedText(text: wrong, ids: b.map { numbers[bBytes[$0]]! }, spans: b)
        )
    }

    private static func spans(_ text: String) -> [Range<Int>] {
        var start = 0
        return TextUnits.words(of: text).ends.compactMap { end in
            defer { start = end }
            return start < end ? start..<end : nil
        }
    }
}
