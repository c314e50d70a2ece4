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
    static let origin = ChainOfThought.Origin.sampled

    let settings: TeacherSettings

    init(_ parameters: StageParameters) throws { settings = try TeacherSettings(parameters) }

    func assignments(_ context: any ActionContext) throws -> [TeachingRun.Assignment] {
        try context.records("questions", as: Question.self).map { question in
            TeachingRun.Assignment(
                id: question.id, task: question.task, question: question.question, answer: question.answer,
                subject: Prompt.Subject(question: question.question, taskDescription: question.taskDescription))
        }
    }

    func outputs(_ cots: [ChainOfThought]) -> [(port: String, cots: [ChainOfThought])] {
        [("correct", cots.filter(\.correct)), ("wrong", cots.filter { !$0.correct })]
    }
}
