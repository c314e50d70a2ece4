import CanonicalJSON
import StageGraph

/// The text a student sees before it answers, the same in training and in evaluation.
///
/// Prompt and completion are tokenized apart, so that the mask of the loss is exact: the completion is a space and the
/// chain of thought, then the end token.
struct StudentPrompt {
    static let parameter = Parameter(
        "prompt", .string, default: "Q: {question}\nA:",
        "What the student sees before its answer; {question} stands for the question. Use one for all stages.")

    private let before: String
    private let after: String

    init(_ parameters: StageParameters) throws {
        let template = parameters.string("prompt")
        guard let place = template.firstRange(of: "{question}"),
            template[place.upperBound...].firstRange(of: "{question}") == nil
        else {
            throw InvalidParameters("the prompt has to contain {question} exactly once", parameter: "prompt")
        }
        before = String(template[..<place.lowerBound])
        after = String(template[place.upperBound...])
    }

    func text(for question: String) -> String { before + question + after }

    /// What the student is to write after the prompt, the end token left out.
    func completion(for cot: String) -> String { " " + cot }

    /// The chain of thought in what the student wrote.
    func completion(of output: String) -> String { output.first == " " ? String(output.dropFirst()) : output }
}
