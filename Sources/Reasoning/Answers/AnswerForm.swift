/// The form of a gold answer; a response's answer is read in the same form.
enum AnswerForm: Hashable {
    /// `(B)`.
    case option
    /// One of two words, such as yes and no, that exclude each other.
    case polarity(Polarity)
    /// `12`, `-1,960`, `$3.50`, `25%`, `1/2`.
    case number
    /// `mm/dd/yyyy`.
    case date
    /// A sequence of brackets.
    case brackets
    /// Anything else: a list of words, or free text.
    case words

    init(of gold: String) {
        let conclusion = Conclusion(following: gold)
        let text = AnswerForm.bare(conclusion.bytes[...])
        if text.count == 3, text.first == UInt8(ascii: "("), text.last == UInt8(ascii: ")"), Option.read(text) != nil {
            self = .option
        } else if let polarity = Polarity.of(text) {
            self = .polarity(polarity)
        } else if CalendarDate.isWhole(text) {
            self = .date
        } else if Decimal.isWhole(text) {
            self = .number
        } else if Brackets.read(text) != nil {
            self = .brackets
        } else {
            self = .words
        }
    }

    /// The normal form of an answer, nil when it does not have this form.
    func read(_ conclusion: Conclusion) -> String? {
        switch self {
        case .option: Option.read(AnswerForm.bare(AnswerForm.line(conclusion)))
        case .polarity(let polarity): polarity.read(AnswerForm.bare(AnswerForm.line(conclusion)))
        case .number: Decimal.read(AnswerForm.bare(AnswerForm.line(conclusion)))
        case .date: CalendarDate.read(AnswerForm.bare(AnswerForm.line(conclusion)))
        case .brackets: Brackets.read(AnswerForm.bare(AnswerForm.line(conclusion)))
        case .words: Words.read(AnswerForm.paragraph(conclusion))
        }
    }

    /// An answer in its own words: its first line up to the end of the sentence; nil when there is nothing to read.
    static func sentence(_ conclusion: Conclusion) -> String? {
        let text = bare(Words.firstSentence(line(conclusion)))
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    // MARK: Cutting

    /// The first line that has more than emphasis, quotes and white space.
    static func line(_ conclusion: Conclusion) -> ArraySlice<UInt8> {
        let text = conclusion.bytes.drop(while: isWrapping)
        return text.prefix { $0 != 0x0A }
    }

    /// From the first line with text to the next blank line or closing fence.
    static func paragraph(_ conclusion: Conclusion) -> ArraySlice<UInt8> {
        let text = conclusion.bytes.drop(while: isWrapping)
        var start = text.startIndex
        while let lineEnd = text[start...].firstIndex(of: 0x0A) {
            let next = text[(lineEnd + 1)...].prefix { $0 != 0x0A }
            if next.allSatisfy(isWrapping) { return text[..<lineEnd] }
            start = lineEnd + 1
        }
        return text
    }

    /// Without emphasis, quotes, a box, white space and the full stop around it.
    static func bare(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while true {
            let before = text.count
            text = text.drop(while: isWrapping)
            while let last = text.last, isWrapping(last) || last == UInt8(ascii: ".") { text.removeLast() }
            text = unboxed(text)
            if text.count == before { return text }
        }
    }

    /// The inside of `\boxed{…}` at the start of a text, or of `\text{…}`, `\(…\)` and `$…$` around it.
    private static func unboxed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let box = "\\boxed{".utf8
        if text.starts(with: box) {
            var depth = 0
            let inside = text.dropFirst(box.count).prefix { byte in
                depth += byte == UInt8(ascii: "{") ? 1 : byte == UInt8(ascii: "}") ? -1 : 0
                return depth >= 0
            }
            return inside
        }
        for (open, close) in [("\\text{", "}"), ("\\(", "\\)"), ("\\[", "\\]")]
        where text.starts(with: open.utf8) && text.suffix(close.utf8.count).elementsEqual(close.utf8) {
            return text.dropFirst(open.utf8.count).dropLast(close.utf8.count)
        }
        let dollar = UInt8(ascii: "$")
        if text.count > 2, text.first == dollar, text.last == dollar { return text.dropFirst().dropLast() }
        return text
    }

    private static func isWrapping(_ byte: UInt8) -> Bool {
        byte == 0x20 || 0x09...0x0D ~= byte || "*_`\"':".utf8.contains(byte)
    }
}
