import CanonicalJSON
import Tokenization

/// Turns questions into the ids a student sees, exactly as the worker does when the student answers.
struct PromptEncoder {
    private let prompt: StudentPrompt
    private let tokenizer: Tokenizer
    private let chat: (template: ChatTemplate, configuration: TokenizerConfiguration)?

    /// - Parameter directory: the tokenizer's, for its chat template.
    /// - Throws: ``DataFileError`` when the format is chat and there is no template; a file's error.
    init(_ prompt: StudentPrompt, _ tokenizer: StudentTokenizer, directory: String) throws {
        self.prompt = prompt
        self.tokenizer = tokenizer.tokenizer
        guard prompt.format == .chat else {
            chat = nil
            return
        }
        let configuration = try TokenizerConfiguration(JSON.parse(FileBytes.read("\(directory)/tokenizer_config.json")))
        let file = "\(directory)/chat_template.jinja"
        let source =
            try FileBytes.exists(file)
            ? String(decoding: FileBytes.read(file), as: UTF8.self) : configuration.chatTemplate
        guard let source else {
            throw DataFileError(
                "the tokenizer", "has no chat template, which prompt-format chat needs; use the format plain")
        }
        do {
            chat = (try ChatTemplate(source), configuration)
        } catch {
            throw DataFileError("the tokenizer's chat template", "cannot be read: \(error)")
        }
    }

    /// - Throws: ``DataFileError`` when the chat template refuses the question.
    func ids(for question: String) throws -> [Int32] {
        let text = prompt.text(for: question)
        guard let chat else { return tokenizer.encodePrompt(text) }
        do {
            return tokenizer.encode(
                try chat.template.render(
                    [ChatMessage(role: "user", content: text)], addsGenerationPrompt: true,
                    configuration: chat.configuration))
        } catch {
            throw DataFileError("the tokenizer's chat template", "refuses a user's message: \(error)")
        }
    }
}
