import CanonicalJSON
import StageGraph
import StudentJobs

/// The text a student sees before it answers, the same in training and in evaluation.
///
/// Prompt and completion are tokenized apart, so that the mask of the loss is exact: the completion is a space and the
/// chain of thought, then the end token.
struct StudentPrompt {
    static let parameter = Parameter(
        "prompt", .string, default: "Q: {question}\nA:",
        "What the student sees before its answer; {question} stands for the question. Use one for all stages.")

    /// The same for the selection of an epoch, in stages that see tokens otherwise.
    static let selectionParameter = Parameter(
        "selection-prompt", .string, default: parameter.defaultValue!,
        "The prompt the data was tokenized with, for the questions of the selection.")

    private let before: String
    private let after: String

    init(_ parameters: StageParameters, name: String = parameter.name) throws {
        let template = parameters.string(name)
        guard let place = template.firstRange(of: "{question}"),
            template[place.upperBound...].firstRange(of: "{question}") == nil
        else {
            throw InvalidParameters("the prompt has to contain {question} exactly once", parameter: name)
        }
        before = String(template[..<place.lowerBound])
        after = String(template[place.upperBound...])
    }

    func text(for question: String) -> String { before + question + after }

    /// What the worker is to complete.
    func content(for question: String) -> GenerationPrompt.Content { .text(text(for: question)) }

    /// What the student is to write after the prompt, the end token left out.
    func completion(for cot: String) -> String { " " + cot }

    /// The chain of thought in what the student wrote.
    func completion(of output: String) -> String { output.first == " " ? String(output.dropFirst()) : output }
}
