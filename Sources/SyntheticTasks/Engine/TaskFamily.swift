import Reasoning

/// A kind of reasoning question that can be generated, read back from its text, and solved right or wrong.
///
/// A family is stateless. `Problem` holds exactly what the text of the question says, so that
/// `problem(from: question(for: p)) == p` for every generated `p`.
public protocol TaskFamily: Sendable {
    associatedtype Problem: Sendable, Equatable

    /// The name in records and pipeline files, such as `boolean_expressions`.
    var name: String { get }

    /// One sentence about the task, for prompts.
    var summary: String { get }

    /// Draws a problem of a difficulty level, 1 to 4; greater levels are longer.
    func generate(level: Int, using generator: inout SeededGenerator) -> Problem

    /// The text of the question.
    func question(for problem: Problem) -> String

    /// Reads a question. Nil when the text is no question of this family or makes no sense.
    func problem(from question: String) -> Problem?

    /// Writes the steps of the solution, without the concluding sentence, and returns the answer as the question
    /// wants it. Nil when the steps lead to no possible answer.
    func solve(_ problem: Problem, on pad: inout Scratchpad) -> String?
}

extension TaskFamily {
    /// The difficulty levels of every family.
    public static var levels: ClosedRange<Int> { 1...4 }
}

/// A chain of thought as a family writes it.
public struct Derivation: Sendable, Equatable {
    /// The whole text, with the concluding sentence.
    public let text: String
    /// The answer that the text concludes with.
    public let answer: String
    /// Empty when the chain of thought is right.
    public let mistakes: [Mistake]
    /// The mistakes that could be made on this problem.
    public let opportunities: [Slip]
    /// Where each decided value is written, and at last the answer in the concluding sentence: UTF-8 byte offsets.
    public let values: [Range<Int>]
}

extension TaskFamily {
    /// Solves a problem, with at most one mistake, and concludes.
    ///
    /// Nil when the steps lead to no possible answer, as they may after a mistake.
    public func derive(_ problem: Problem, wording: Wording, slip: Slip? = nil) -> Derivation? {
        var pad = Scratchpad(wording: wording, slip: slip)
        guard let answer = solve(problem, on: &pad) else { return nil }
        if !pad.text.isEmpty { pad.write(" ") }
        pad.write("Therefore, the answer is ")
        let place = pad.text.utf8.count
        pad.write("\(answer).")
        return Derivation(
            text: pad.text, answer: answer, mistakes: pad.mistakes, opportunities: pad.opportunities,
            values: pad.values + [place..<place + answer.utf8.count])
    }
}
