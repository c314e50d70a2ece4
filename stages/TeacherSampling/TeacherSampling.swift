import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import Teachers

/// D⁺ and D⁻ (EDIT §3.1): asks the teacher for a chain of thought on each question (CEP) and sorts the answers by their
/// conclusion. An answer without a conclusion is wrong.
struct TeacherSampling: AskingStage {
    static let signature = StageSignature(
        "teacher-sampling", version: 1, .map, "Asks a teacher for a chain of thought on each question.",
        parameters: [
            Parameter("prompt", .file, "The extraction prompt (CEP), a text template with {question}.")
        ] + TeacherSettings.parameters,
        inputs: [InputPort("questions", .questions, "What to ask.")],
        outputs: [
            OutputPort("correct", .cots, "D⁺: the conclusion is the gold answer."),
            OutputPort("wrong", .cots, "D⁻: it is another one, or there is none."),
        ])

    static let promptKind = Prompt.Kind.extraction

    let settings: TeacherSettings

    init(_ parameters: StageParameters) throws { settings = try TeacherSettings(parameters) }

    var resources: Resources { settings.resources }

    func assignments(_ context: any ActionContext) throws -> [TeachingRun.Assignment] {
        try context.records("questions", as: Question.self).map(assignment)
    }

    private func assignment(_ question: Question) -> TeachingRun.Assignment {
        TeachingRun.Assignment(
            id: question.id, task: question.task, question: question.question, answer: question.answer,
            subject: Prompt.Subject(question: question.question, taskDescription: question.taskDescription))
    }

    // Without optimization: the optimizer of Swift 6.3 crashes while it splits this function.
    @_optimize(none)
    func run(_ context: any ActionContext) async throws -> Accounting {
        let questions = try context.records("questions", as: Question.self)
        var accounting = Accounting(recordsIn: questions.count)
        let run = try TeachingRun(context, Self.promptKind, settings)
        let cots = try await run.ask(
            questions.map(assignment), origin: .sampled, accounting: &accounting)
        accounting.recordsOut = cots.count
        try context.write(cots.filter(\.correct), to: "correct")
        try context.write(cots.filter { !$0.correct }, to: "wrong")
        return accounting
    }
}
