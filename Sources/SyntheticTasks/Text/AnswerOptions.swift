/// Lettered options behind a question, `Options:` and then a line `(A) …` for each.
struct AnswerOptions: Sendable, Equatable {
    var values: [String]

    init(_ values: [String]) { self.values = values }

    /// Reads the block at the end of a question; nil when there is none or letters are out of order.
    init?(_ scanner: inout TextScanner) {
        guard scanner.accept("Options:") else { return nil }
        values = []
        while !scanner.isAtEnd {
            guard scanner.accept("(\(Self.letter(values.count)))") else { return nil }
            let value = scanner.line()
            guard !value.isEmpty else { return nil }
            values.append(value)
        }
        guard !values.isEmpty, values.count <= 26 else { return nil }
    }

    /// The options of a whole question, from its last line `Options:` on; nil when it has no lettered options.
    init?(inQuestion question: String) {
        let lines = question.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.lastIndex(of: "Options:") else { return nil }
        var scanner = TextScanner(lines[start...].joined(separator: "\n"))
        self.init(&scanner)
    }

    /// The block as it stands in a question.
    var text: String {
        values.enumerated().reduce("Options:") { $0 + "\n(\(Self.letter($1.offset))) \($1.element)" }
    }

    /// `(A)` for the first option and so on; nil when the value is none of them.
    func letter(of value: String) -> String? {
        values.firstIndex(of: value).map { "(\(Self.letter($0)))" }
    }

    private static func letter(_ index: Int) -> Character {
        Character(Unicode.Scalar(UInt8(ascii: "A") + UInt8(min(index, 25))))
    }
}
