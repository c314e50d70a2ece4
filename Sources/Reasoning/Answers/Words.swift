/// Lists of words and free text, compared without case, commas and runs of white space.
enum Words {
    /// The words of the first sentence, one space between each two, in lower case.
    static func read(_ text: ArraySlice<UInt8>) -> String? {
        let sentence = AnswerForm.bare(firstSentence(text))
        let words = String(decoding: sentence, as: UTF8.self).lowercased().unicodeScalars
            .split { $0.properties.isWhitespace || $0 == "," || $0 == ";" }
        guard !words.isEmpty else { return nil }
        return words.map { String($0) }.joined(separator: " ")
    }

    /// Up to a full stop, question or exclamation mark that is followed by white space and a capital, or by the end.
    static func firstSentence(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        for index in text.indices where ".!?".utf8.contains(text[index]) {
            let after = text[(index + 1)...]
            let next = after.drop { $0 == 0x20 || 0x09...0x0D ~= $0 }
            guard let byte = next.first else { return text[..<index] }
            if next.startIndex > after.startIndex, 0x41...0x5A ~= byte { return text[..<index] }
        }
        return text
    }
}
