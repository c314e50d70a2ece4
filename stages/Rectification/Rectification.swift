import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import Teachers

/// D⁻⁺ (EDIT §3.1): tells the teacher the answer of each question it got wrong (AHP) and asks for the rationale again.
///
/// Every attempt is kept with its verdict; filtering decides.
struct Rectification: AskingStage {
    static let signature = StageSignature(
        "rectification", version: 1, .map,
        "Asks a teacher again about its wrong answers, with the right one as a hint.",
        parameters: [
            Parameter("prompt", .file, "The answer hint prompt (AHP), a text template with {question} and {answer}.")
        ] + TeacherSettings.parameters,
        inputs: [InputPort("wrong", .cots, "D⁻.")],
        outputs: [OutputPort("rectified", .cots, "Attempts at D⁻⁺, with verdicts.")])

    static let promptKind = Prompt.Kind.hint
    static let origin = ChainOfThought.Origin.rectified

    let settings: TeacherSettings

    init(_ parameters: StageParameters) throws { settings = try TeacherSettings(parameters) }

    func assignments(_ context: any ActionContext) throws -> [TeachingRun.Assignment] {
        try context.records("wrong", as: ChainOfThought.self).map { wrong in
            TeachingRun.Assignment(
                id: wrong.id, task: wrong.task, question: wrong.question, answer: wrong.answer,
                subject: Prompt.Subject(question: wrong.question, answer: wrong.answer))
        }
    }

    func outputs(_ cots: [ChainOfThought]) -> [(port: String, cots: [ChainOfThought])] {
        var marked = cots
        for index in marked.indices { marked[index].hintLeaked = HintLeak.isFound(in: marked[index].cot) }
        return [("rectified", marked)]
    }
}

/// A rationale that speaks of the hint would teach the student to wait for one.
enum HintLeak {
    private static let phrases = [
        "the hint", "a hint", "hinted", "the given answer", "the correct answer is given", "as given, the answer",
        "we are told the answer", "we are told that the answer", "we know that the correct answer",
        "since the correct answer", "given that the correct answer", "provided answer",
    ]

    static func isFound(in cot: String) -> Bool {
        let text = cot.lowercased()
        return phrases.contains { text.contains($0) }
    }
}
