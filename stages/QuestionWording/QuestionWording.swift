import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Puts the same words around every question, such as an instruction to think step by step.
///
/// The cheapest map stage there is, which makes it the one to measure the engine with.
struct QuestionWording: Stage {
    static let signature = StageSignature(
        "question-wording", version: 1, .map, "Puts the same words before and after every question.",
        parameters: [
            Parameter("before", .string, default: "", "What comes before the question, with the white space wanted."),
            Parameter("after", .string, default: "", "What comes after it."),
        ],
        inputs: [InputPort("questions", .questions, "The questions.")],
        outputs: [OutputPort("questions", .questions, "The same questions in their new words.")])

    private let before: String
    private let after: String

    init(_ parameters: StageParameters) throws {
        before = parameters.string("before")
        after = parameters.string("after")
        if before.isEmpty && after.isEmpty {
            throw InvalidParameters("nothing would change: give \"before\", \"after\" or both", parameter: "after")
        }
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let questions = try context.records("questions", as: Question.self).map { question in
            var worded = question
            worded.question = before + question.question + after
            return worded
        }
        try context.write(questions, to: "questions")
        return Accounting(recordsIn: questions.count, recordsOut: questions.count)
    }
}
