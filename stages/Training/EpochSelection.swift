import CanonicalJSON
import Reasoning
import StageGraph
import StudentJobs

/// Chooses the epoch whose student answers most held-out questions right, as EDIT chooses (appendix: by in-domain
/// accuracy).
struct EpochSelection {
    static let input = InputPort(
        "selection", .questions, distribution: .whole, arity: .optional,
        "Held-out in-domain questions: the epoch with the most right answers is kept, the earliest of equals. Without "
            + "them the last one is.")
    static let parameters = [
        StudentPrompt.selectionParameter, StudentPrompt.selectionFormatParameter,
        Parameter(
            "selection-max-new-tokens", .positiveInteger, default: 256, "Where an answer of the selection is cut off."),
    ]

    let prompt: StudentPrompt
    let maxNewTokens: Int

    init(_ parameters: StageParameters) throws {
        prompt = try StudentPrompt(parameters, name: StudentPrompt.selectionParameter.name)
        maxNewTokens = parameters.integer("selection-max-new-tokens")
    }

    /// How an epoch fared.
    struct Epoch: Equatable {
        let number: Int
        let correct: Int
        let questions: Int

        /// A row of the training log.
        func record(isChosen: Bool) -> JSONObject {
            let digits = String(number)
            return JSONObject([
                ("id", .string("epoch-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)),
                ("epoch", .integer(Int64(number))), ("correct", .integer(Int64(correct))),
                ("questions", .integer(Int64(questions))), ("accuracy", .number(Double(correct) / Double(questions))),
                ("chosen", .bool(isChosen)),
            ])
        }
    }

    /// The earliest of those with the most right answers.
    static func best(_ epochs: [Epoch]) -> Epoch? {
        epochs.max { ($0.correct, $1.number) < ($1.correct, $0.number) }
    }

    /// Lets the student of each epoch answer the questions greedily.
    ///
    /// - Parameters:
    ///   - outputs: the directory with `epoch-1`, `epoch-2` and so on: checkpoints, or adapters for `base`.
    ///   - base: the checkpoint under the adapters; nil where there are none.
    func evaluate(
        _ context: any ActionContext, outputs: String, epochs: Int, base: String?, execution: ExecutionSettings
    ) async throws -> [Epoch] {
        let questions = try context.records(ofPort: "selection", as: Question.self)
        var result: [Epoch] = []
        for number in 1...epochs {
            let student = "\(outputs)/epoch-\(number)"
            let answers = try await StudentAnswers(
                context: context, prompt: prompt, maxNewTokens: maxNewTokens, batch: 64, execution: execution
            ).answers(
                to: questions, checkpoint: base ?? student, adapter: base == nil ? nil : student,
                name: "selection-\(number)")
            result.append(
                Epoch(number: number, correct: answers.count { $0.correct }, questions: questions.count))
        }
        return result
    }
}
