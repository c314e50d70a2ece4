/// What a prompt asks for, read from its text alone, as a language model would have to.
struct PromptReading: Sendable, Equatable {
    enum Request: Sendable, Equatable {
        case answer
        /// A line `H: The correct answer is X.` stands between question and answer.
        case answerWithHint(String)
        /// A right response is given, a wrong one wanted.
        case wrongResponse(right: String)
    }

    let question: String
    let request: Request

    /// Reads the last block `Q: …` of the last user message; earlier ones are examples. A message without such a block
    /// is a question as a whole.
    init(_ messages: [ChatMessage]) {
        let content = messages.last { $0.role == .user }?.content ?? ""
        let lines = content.split(separator: "\n", omittingEmptySubsequences: false)
        let start = lines.lastIndex { $0.hasPrefix("Q:") }
        var sections: [(mark: String, text: String)] = [("Q:", "")]
        for (offset, line) in lines[(start ?? 0)...].enumerated() {
            let mark = offset == 0 ? (start == nil ? "" : "Q:") : Self.marks.first { line.hasPrefix($0) }
            if offset > 0, let mark {
                sections.append((mark, String(line.dropFirst(mark.count))))
            } else {
                let text = line.dropFirst(mark?.count ?? 0)
                sections[sections.count - 1].text += (offset == 0 ? "" : "\n") + text
            }
        }
        question = trimmed(sections[0].text)
        func section(_ mark: String) -> String? {
            sections.dropFirst().first { $0.mark == mark }.map { trimmed($0.text) }
        }
        if let right = section("Right Response:") {
            request = .wrongResponse(right: right)
        } else if let hint = section("H:") {
            request = .answerWithHint(Self.hintedAnswer(hint))
        } else {
            request = .answer
        }
    }

    private static let marks = ["H:", "A:", "Right Response:", "Wrong Response:"]

    /// What follows the last "answer is" of a hint, without the full stop.
    private static func hintedAnswer(_ hint: String) -> String {
        let phrase = "answer is"
        var answer = Substring(hint)
        while let range = answer.firstRange(of: phrase) { answer = answer[range.upperBound...] }
        if answer.last == "." { answer.removeLast() }
        return trimmed(String(answer))
    }
}

/// Without white space at both ends.
private func trimmed(_ text: String) -> String {
    let start = text.drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
}
