/// What follows the phrase with which a response states its answer.
///
/// The phrase is "the answer is" in any case, with one of a few adjectives ("the best answer is", "the final answer
/// is") and a short complement ("the answer to this question is") allowed, or a colon in place of the verb. A line
/// labelled `####` or `Final answer:` is as good. The last of all these counts, even when nothing follows it. Only a
/// response with none of them may state its answer in a line `Answer: …`, a last line `A: …` or a last `\boxed{…}`.
struct Conclusion {
    /// UTF-8, folded by ``folded(_:)``, from the end of the phrase to the end of the response.
    let bytes: [UInt8]
    /// Where they begin in the response's UTF-8.
    let start: Int

    private init(bytes: [UInt8], start: Int) {
        self.bytes = bytes
        self.start = start
    }

    /// The conclusion whose text is given.
    init(following text: String) { self.init(bytes: Conclusion.folded(Array(text.utf8)[...]), start: 0) }

    /// The last conclusion of a response, nil when it has none. O(n).
    static func last(in response: String) -> Conclusion? {
        let text = Array(response.utf8)
        let explicit = max(lastPhrase(in: text) ?? -1, lastLabel(in: text, isWeak: false) ?? -1)
        let start = explicit >= 0 ? explicit : lastLabel(in: text, isWeak: true) ?? lastBox(in: text)
        return start.map { Conclusion(bytes: folded(text[$0...]), start: $0) }
    }

    // MARK: Phrases

    private static let determiners = ["the", "my", "our"].map { Array($0.utf8) }
    private static let adjectives = ["best", "correct", "final", "right", "likely", "plausible", "closest", "most"]
        .map { Array($0.utf8) }

    /// The offset after the last "the answer is".
    private static func lastPhrase(in text: [UInt8]) -> Int? {
        let noun = Array("answer".utf8)
        var start = text.count - noun.count
        while start >= 0 {
            if matches(text, at: start, noun), hasDeterminer(text, before: start),
                let end = verb(text, after: start + noun.count)
            {
                return end
            }
            start -= 1
        }
        return nil
    }

    /// "the" and at most two adjectives stand before the noun.
    private static func hasDeterminer(_ text: [UInt8], before noun: Int) -> Bool {
        var end = noun
        for _ in 0..<3 {
            guard let word = word(text, before: end) else { return false }
            if determiners.contains(where: { matches(text, word, $0) }) { return true }
            guard adjectives.contains(where: { matches(text, word, $0) }) else { return false }
            end = word.lowerBound
        }
        return false
    }

    /// The offset after "is", which follows the noun at once or after "to" and at most six words, or after a colon.
    private static func verb(_ text: [UInt8], after noun: Int) -> Int? {
        if noun < text.count, text[noun] == UInt8(ascii: ":") { return noun + 1 }
        var end = noun
        for index in 0..<8 {
            guard let word = word(text, after: end) else { return nil }
            if matches(text, word, Array("is".utf8)) { return word.upperBound }
            if index == 0, !matches(text, word, Array("to".utf8)) { return nil }
            end = word.upperBound
        }
        return nil
    }

    private static func word(_ text: [UInt8], before end: Int) -> Range<Int>? {
        var stop = end
        while stop > 0, isBlank(text[stop - 1]) { stop -= 1 }
        guard stop < end else { return nil }
        var start = stop
        while start > 0, isLetter(text[start - 1]) { start -= 1 }
        return start < stop ? start..<stop : nil
    }

    private static func word(_ text: [UInt8], after start: Int) -> Range<Int>? {
        var begin = start
        while begin < text.count, isBlank(text[begin]) { begin += 1 }
        guard begin > start else { return nil }
        var end = begin
        while end < text.count, isLetter(text[end]) { end += 1 }
        return begin < end ? begin..<end : nil
    }

    // MARK: Labelled lines

    /// The offset after the label of the last labelled line; weak labels are those that also open a reasoning.
    private static func lastLabel(in text: [UInt8], isWeak: Bool) -> Int? {
        var lineEnd = text.count
        var isLastLine = true
        while true {
            let lineStart = (text[..<lineEnd].lastIndex(of: 0x0A) ?? -1) + 1
            let line = text[lineStart..<lineEnd]
            if line.contains(where: { !isBlank($0) }) {
                if let end = isWeak ? weakLabel(line, isLastLine: isLastLine) : label(line) { return end }
                isLastLine = false
            }
            guard lineStart > 0 else { return nil }
            lineEnd = lineStart - 1
        }
    }

    /// `####` or `Final answer:`.
    private static func label(_ line: ArraySlice<UInt8>) -> Int? {
        let text = line.drop(while: isDecoration)
        if line[..<text.startIndex].count(where: { $0 == UInt8(ascii: "#") }) >= 4 { return text.startIndex }
        return end(of: "final answer", in: text)
    }

    /// `Answer:`, or `A:` on the last line.
    private static func weakLabel(_ line: ArraySlice<UInt8>, isLastLine: Bool) -> Int? {
        let text = line.drop(while: isDecoration)
        if isLastLine, text.starts(with: "A:".utf8) { return text.startIndex + 2 }
        return end(of: "answer", in: text)
    }

    /// The offset after a name and a colon at the start of a line.
    private static func end(of name: String, in line: ArraySlice<UInt8>) -> Int? {
        guard line.count >= name.utf8.count,
            zip(line, name.utf8).allSatisfy({ lowercase($0) == $1 })
        else { return nil }
        let rest = line.dropFirst(name.utf8.count).drop { isBlank($0) || $0 == UInt8(ascii: "*") }
        return rest.first == UInt8(ascii: ":") ? rest.startIndex + 1 : nil
    }

    /// The offset of the last `\boxed{`, whose inside ``AnswerForm`` reads.
    private static func lastBox(in text: [UInt8]) -> Int? {
        let opening = Array("\\boxed{".utf8)
        guard text.count >= opening.count else { return nil }
        return stride(from: text.count - opening.count, through: 0, by: -1).first { text[$0...].starts(with: opening) }
    }

    // MARK: Bytes

    /// Matches a lower-case pattern in any case of ASCII letters.
    private static func matches(_ text: [UInt8], at start: Int, _ pattern: [UInt8]) -> Bool {
        guard start + pattern.count <= text.count else { return false }
        for offset in 0..<pattern.count where lowercase(text[start + offset]) != pattern[offset] { return false }
        return true
    }

    private static func matches(_ text: [UInt8], _ word: Range<Int>, _ pattern: [UInt8]) -> Bool {
        word.count == pattern.count && matches(text, at: word.lowerBound, pattern)
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
    private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= lowercase(byte) || byte >= 0x80 }
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
    private static func isDecoration(_ byte: UInt8) -> Bool { isBlank(byte) || ">*#-_".utf8.contains(byte) }

    /// Typographic variants as ASCII: full-width forms, curly quotes, the minus sign, wide and unbreakable spaces.
    private static func folded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard text.contains(where: { $0 >= 0x80 }) else { return Array(text) }
        var bytes: [UInt8] = []
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0xFF01...0xFF5E: bytes.append(UInt8(scalar.value - 0xFEE0))
            case 0x3002: bytes.append(UInt8(ascii: "."))
            case 0x2018, 0x2019: bytes.append(UInt8(ascii: "'"))
            case 0x201C, 0x201D: bytes.append(UInt8(ascii: "\""))
            case 0x2212: bytes.append(UInt8(ascii: "-"))
            case 0x00A0, 0x2009, 0x202F, 0x3000: bytes.append(0x20)
            default: bytes.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        return bytes
    }
}
