import CanonicalJSON
import Reasoning
import StageGraph
import StudentJobs

/// Lets a student answer questions greedily, and verifies what it wrote.
struct StudentAnswers {
    let context: any ActionContext
    let prompt: StudentPrompt
    let maxNewTokens: Int
    let batch: Int
    let execution: ExecutionSettings

    /// The answers in the order of the questions.
    ///
    /// - Parameter name: tells the files of several calls in one action apart.
    func answers(
        to questions: [Question], checkpoint: String, adapter: String? = nil, name: String = "generation"
    ) async throws -> [Reasoning.Generation] {
        if try CheckpointShape(directory: checkpoint) != nil {
            // Weights that nobody has drawn yet answer nothing.
            return try questions.map {
                try verified(
                    StudentJobs.Generation(id: $0.id, promptTokens: 0, tokens: [], text: "", finish: .stop), $0)
            }
        }
        let prompts = "\(context.scratchDirectory)/\(name)-prompts.jsonl"
        let output = "\(context.scratchDirectory)/\(name)-output.jsonl"
        var lines: [UInt8] = []
        for question in questions {
            GenerationPrompt(id: question.id, content: prompt.content(for: question.question)).json.write(to: &lines)
            lines.append(UInt8(ascii: "\n"))
        }
        try FileBytes.write(lines, to: prompts)
        let job = GenerationJob(
            checkpoint: checkpoint, adapter: adapter, prompts: prompts, output: output, maxNewTokens: maxNewTokens,
            batch: batch, decodesText: true, execution: execution)
        _ = try await StudentProcess(context: context).run(.generate(job), name: name)
        let written = try SourceLines.parse(FileBytes.read(output), name: "generations")
        guard written.count == questions.count else {
            throw StudentProcessError(
                description: "the worker answered \(written.count) of \(questions.count) questions; run again")
        }
        return try zip(questions, written).map { question, line in
            try verified(StudentJobs.Generation(json: line.object), question)
        }
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
