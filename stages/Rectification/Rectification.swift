import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import Teachers

/// D⁻⁺ (EDIT §3.1): tells the teacher the answer of each question it got wrong (AHP) and asks for the rationale again.
///
/// Every attempt is kept with its verdict; filtering decides.
struct Rectification: Stage {
    static let signature = StageSignature(
        "rectification", version: 1, .map,
        "Asks a teacher again about its wrong answers, with the right one as a hint.",
        parameters: [
            Parameter("prompt", .file, "The answer hint prompt (AHP), a text template with {question} and {answer}.")
        ] + TeacherSettings.parameters,
        inputs: [InputPort("wrong", .cots, "D⁻.")],
        outputs: [OutputPort("rectified", .cots, "Attempts at D⁻⁺, with verdicts.")])

    private let settings: TeacherSettings

    init(_ parameters: StageParameters) throws { settings = try TeacherSettings(parameters) }

    var resources: Resources { settings.resources }

    func run(_ context: any ActionContext) async throws -> Accounting {
        let wrong = try context.records("wrong", as: ChainOfThought.self)
        var accounting = Accounting(recordsIn: wrong.count)
        let run = try TeachingRun(context, .hint, settings)
        var cots = try await run.ask(
            wrong.map {
                TeachingRun.Assignment(
                    id: $0.id, task: $0.task, question: $0.question, answer: $0.answer,
                    subject: Prompt.Subject(question: $0.question, answer: $0.answer))
            }, origin: .rectified, accounting: &accounting)
        for index in cots.indices { cots[index].hintLeaked = HintLeak.isFound(in: cots[index].cot) }
        accounting.recordsOut = cots.count
        try context.write(cots, to: "rectified")
        return accounting
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
