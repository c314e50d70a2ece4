import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import Teachers

/// D⁺⁻ (EDIT §3.1): shows the teacher its right responses and asks for the most likely wrong ones (CCP).
///
/// Every attempt is kept with its verdict; filtering decides.
struct Corruption: AskingStage {
    static let signature = StageSignature(
        "corruption", version: 1, .map, "Asks a teacher for a likely wrong variant of its right responses.",
        parameters: [
            Parameter(
                "prompt", .file,
                "The contrastive prompt (CCP), a text template with {question}, {cot} and a block {#demonstrations}.")
        ] + TeacherSettings.parameters,
        inputs: [
            InputPort("correct", .cots, "D⁺."),
            InputPort(
                "demonstrations", .demonstrations, distribution: .whole, arity: .optional,
                "Right and wrong responses to show."),
        ],
        outputs: [OutputPort("corrupted", .cots, "Attempts at D⁺⁻, with verdicts.")])

    /// Demonstrations in one prompt, at most: those of the question's own task, else of any.
    private static let shown = 3

    static let promptKind = Prompt.Kind.contrastive
    static let origin = ChainOfThought.Origin.corrupted

    let settings: TeacherSettings

    init(_ parameters: StageParameters) throws { settings = try TeacherSettings(parameters) }

    func assignments(_ context: any ActionContext) throws -> [TeachingRun.Assignment] {
        let demonstrations = try context.records(ofPort: "demonstrations", as: Demonstration.self)
        let byTask = Dictionary(grouping: demonstrations) { Array($0.task.utf8) }
        let fallback = Array(demonstrations.prefix(Corruption.shown))
        return try context.records("correct", as: ChainOfThought.self).map { sample in
            let own = (byTask[Array(sample.task.utf8)] ?? []).filter { $0.id != sample.id }
            return TeachingRun.Assignment(
                id: sample.id, task: sample.task, question: sample.question, answer: sample.answer,
                subject: Prompt.Subject(
                    question: sample.question, answer: sample.answer, cot: sample.cot,
                    demonstrations: own.isEmpty ? fallback : Array(own.prefix(Corruption.shown))))
        }
    }

    func outputs(_ cots: [ChainOfThought]) -> [(port: String, cots: [ChainOfThought])] { [("corrupted", cots)] }
}
