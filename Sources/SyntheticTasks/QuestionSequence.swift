import Reasoning

/// The questions of one family at one level: an endless sequence as far as the family has different questions.
///
/// Question number `i` is a function of (seed, family, level, i). It repeats no earlier question, whatever number of
/// questions is drawn.
public struct QuestionSequence: Sendable {
    /// Draws that may repeat earlier questions before the family counts as exhausted.
    static let patience = 1000

    private let family: any TaskFamily
    private let level: Int
    private let seed: UInt64
    private var seen: Set<UInt64> = []
    private var index = 0

    /// - Parameter level: 1 to 4.
    public init(family: any TaskFamily, level: Int, seed: UInt64) {
        precondition(1...4 ~= level, "levels are 1 to 4")
        self.family = family
        self.level = level
        self.seed = seed
    }

    /// The next question.
    ///
    /// - Throws: ``QuestionSetError`` when the family has no other question at this level.
    public mutating func next() throws -> Question {
        try draw(family)
    }

    private mutating func draw(_ family: some TaskFamily) throws -> Question {
        for attempt in 0..<Self.patience {
            var generator = SeededGenerator(
                seed: seed, "question", family.name, String(level), String(index), String(attempt))
            let problem = family.generate(level: level, using: &generator)
            let text = family.question(for: problem)
            guard seen.insert(StableHash.of(0, text)).inserted else { continue }
            guard let answer = family.derive(problem, wording: Wording(question: text))?.answer else {
                preconditionFailure("\(family.name) cannot solve its own question: \(text)")
            }
            defer { index += 1 }
            return Question(
                id: "\(family.name)-l\(level)-s\(seed)-\(sixDigits(index))", task: family.name, question: text,
                answer: answer, taskDescription: family.summary, options: AnswerOptions(inQuestion: text)?.values,
                level: level)
        }
        throw QuestionSetError(
            description: "\(family.name) has no more than about \(index) different questions at level \(level)."
                + " Ask for fewer, or add a level or a family.")
    }

    private func sixDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}

/// A set of synthetic questions cannot be made as asked.
public struct QuestionSetError: Error, Equatable, CustomStringConvertible {
    public let description: String
}
