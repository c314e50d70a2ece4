import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import StudentJobs

/// A student's greedy answers to questions, each verified against the gold answer.
struct Generate: Stage {
    static let signature = StageSignature(
        "generation", version: 2, .map, "Lets a student answer questions, zero-shot and greedily.",
        parameters: [
            StudentPrompt.parameter, StudentPrompt.formatParameter,
            Parameter("max-new-tokens", .positiveInteger, default: 256, "Where an answer is cut off."),
            Parameter("batch-size", .positiveInteger, default: 128, "Answers written side by side."),
            Parameter("threads", .integer(1...1024), default: 1, "Threads of tensor operations, and CPU slots."),
            Parameter(
                "precision", .choice(["float32", "bfloat16"]), default: "float32", "Precision of matrix products."),
            Parameter("device", .choice(["cpu", "cuda", "auto"]), default: "cpu", "Where to compute."),
        ],
        inputs: [
            InputPort("questions", .questions, "What to answer."),
            InputPort(
                "checkpoint", .checkpoint, distribution: .whole, "The student; one without weights answers nothing."),
        ],
        outputs: [OutputPort("generations", .generations, "The answers with verdicts.")],
        programs: [StudentProcess.program])

    private let parameters: StageParameters
    private let prompt: StudentPrompt

    var resources: Resources { ExecutionSettings(parameters).resources }

    init(_ parameters: StageParameters) throws {
        self.parameters = parameters
        prompt = try StudentPrompt(parameters)
    }

    func run(_ context: any ActionContext) async throws -> Accounting {
        let questions = try context.records("questions", as: Question.self)
        let answers = try await StudentAnswers(
            context: context, prompt: prompt, maxNewTokens: parameters.integer("max-new-tokens"),
            batch: parameters.integer("batch-size"), execution: ExecutionSettings(parameters)
        ).answers(to: questions, checkpoint: context.directory("checkpoint"))
        try context.write(answers, to: "generations")
        return Accounting(recordsIn: questions.count, recordsOut: questions.count)
    }
}
