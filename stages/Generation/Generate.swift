import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import StudentJobs

/// A student's greedy answers to questions, each verified against the gold answer.
struct Generate: Stage {
    static let signature = StageSignature(
        "generation", version: 1, .map, "Lets a student answer questions, zero-shot and greedily.",
        parameters: [
            StudentPrompt.parameter,
            Parameter("max-new-tokens", .positiveInteger, default: 256, "Where an answer is cut off."),
            Parameter("batch-size", .positiveInteger, default: 128, "Answers written side by side."),
            Parameter("threads", .integer(1...1024), default: 1, "Threads of tensor operations, and CPU slots."),
            Parameter(
                "precision", .choice(["float32", "bfloat16"]), default: "float32", "Precision of matrix products."),
            Parameter("device", .choice(["cpu", "cuda", "auto"]), default: "cpu", "Where to compute."),
        ],
        inputs: [
            InputPort("questions", .questions, "What to answer."),
            InputPort("checkpoint", .checkpoint, distribution: .whole, "The student."),
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
        let prompts = "\(context.scratchDirectory)/prompts.jsonl"
        let output = "\(context.scratchDirectory)/generations.jsonl"
        var lines: [UInt8] = []
        for question in questions {
            GenerationPrompt(id: question.id, content: .text(prompt.text(for: question.question))).json.write(
                to: &lines)
            lines.append(UInt8(ascii: "\n"))
        }
        try FileBytes.write(lines, to: prompts)
        let job = GenerationJob(
            checkpoint: try context.directory("checkpoint"), prompts: prompts, output: output,
            maxNewTokens: parameters.integer("max-new-tokens"), batch: parameters.integer("batch-size"),
            decodesText: true, execution: ExecutionSettings(parameters))
        _ = try await StudentProcess(context: context).run(.generate(job))
        let written = try SourceLines.parse(FileBytes.read(output), name: "generations")
        guard written.count == questions.count else {
            throw StudentProcessError(
                description: "the worker answered \(written.count) of \(questions.count) questions; run again")
        }
        try context.write(
            try zip(questions, written).map { question, line in
                try verified(StudentJobs.Generation(json: line.object), question)
            }, to: "generations")
        return Accounting(recordsIn: questions.count, recordsOut: questions.count)
    }

    private func verified(_ generation: StudentJobs.Generation, _ question: Question) throws -> Reasoning.Generation {
        guard generation.id.utf8.elementsEqual(question.id.utf8), let text = generation.text else {
            throw StudentProcessError(description: "the worker's answers are out of order; run again")
        }
        let verdict = AnswerVerifier.verify(text, gold: question.answer)
        return Reasoning.Generation(
            id: question.id, task: question.task, question: question.question, answer: question.answer,
            output: prompt.completion(of: text), predicted: verdict.predicted, correct: verdict.correct,
            finishReason: generation.finish == .stop ? .stop : .length, tokens: generation.tokens.count)
    }
}
