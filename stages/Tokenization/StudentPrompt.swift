import CanonicalJSON
import StageGraph
import StudentJobs

/// The text a student sees before it answers, the same in training and in evaluation.
///
/// Prompt and completion are tokenized apart, so that the mask of the loss is exact: the completion is a space (in plain
/// format) and the chain of thought, then the end token.
struct StudentPrompt {
    enum Format: String, CaseIterable {
        /// The text as it is.
        case plain
        /// The text as a user's message, written out by the chat template of the tokenizer.
        case chat
    }

    static let parameter = Parameter(
        "prompt", .string, default: "Q: {question}\nA:",
        "What the student sees before its answer; {question} stands for the question. Use one for all stages.")

    /// The same for the selection of an epoch, in stages that see tokens otherwise.
    static let selectionParameter = Parameter(
        "selection-prompt", .string, default: parameter.defaultValue!,
        "The prompt the data was tokenized with, for the questions of the selection.")

    /// How the prompt is put to the student, of stages that tokenize or generate.
    static let formatParameter = Parameter(
        "prompt-format", .choice(Format.allCases.map(\.rawValue)), default: .string(Format.plain.rawValue),
        "chat makes the prompt a user's message in the tokenizer's chat template. Use one format for all stages.")

    static let selectionFormatParameter = Parameter(
        "selection-prompt-format", .choice(Format.allCases.map(\.rawValue)), default: .string(Format.plain.rawValue),
        "The format the data was tokenized with, for the questions of the selection.")

    let format: Format
    private let before: String
    private let after: String

    init(_ parameters: StageParameters, name: String = parameter.name) throws {
        let template = parameters.string(name)
        guard let place = template.firstRange(of: "{question}"),
            template[place.upperBound...].firstRange(of: "{question}") == nil
        else {
            throw InvalidParameters("the prompt has to contain {question} exactly once", parameter: name)
        }
        format = parameters.values["\(name)-format"]?.string.flatMap(Format.init(rawValue:)) ?? .plain
        before = String(template[..<place.lowerBound])
        after = String(template[place.upperBound...])
    }

    func text(for question: String) -> String { before + question + after }

    /// What the worker is to complete.
    func content(for question: String) -> GenerationPrompt.Content {
        switch format {
        case .plain: .text(text(for: question))
        case .chat: .chat([ChatTurn(role: "user", content: text(for: question))])
        }
    }

    /// What the student is to write after the prompt, the end token left out.
    ///
    /// - Parameter isGivenMore: whether the prompt goes on with a part of the answer.
    func completion(for cot: String, isGivenMore: Bool = false) -> String {
        format == .plain || isGivenMore ? " " + cot : cot
    }

    /// The chain of thought in what the student wrote.
    func completion(of output: String) -> String {
        format == .plain && output.first == " " ? String(output.dropFirst()) : output
    }
}
