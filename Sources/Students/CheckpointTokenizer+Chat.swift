import CanonicalJSON
import StudentJobs
import Tokenization

extension CheckpointTokenizer {
    /// A conversation as the checkpoint's chat template writes it, up to where the assistant's turn begins.
    ///
    /// - Parameter place: of the conversation, for messages.
    /// - Throws: ``StudentError`` when the checkpoint has no chat template, or its template refuses the conversation.
    func chat(_ turns: [ChatTurn], _ place: String) throws -> String {
        let (template, configuration) = try chatTemplate(place)
        do {
            return try template.render(
                turns.map { ChatMessage(role: $0.role, content: $0.content) }, addsGenerationPrompt: true,
                configuration: configuration)
        } catch {
            throw StudentError(place, "the chat template refuses the messages: \(error)")
        }
    }

    private func chatTemplate(_ place: String) throws -> (ChatTemplate, TokenizerConfiguration) {
        let path = "\(directory)/tokenizer_config.json"
        do {
            let configuration =
                FileSystem.isFile(path)
                ? try TokenizerConfiguration(JSON.parse(FileSystem.read(path))) : TokenizerConfiguration()
            let file = "\(directory)/chat_template.jinja"
            let source =
                FileSystem.isFile(file)
                ? String(decoding: try FileSystem.read(file), as: UTF8.self) : configuration.chatTemplate
            guard let source else {
                throw StudentError(
                    place, "has messages, and \(directory) has no chat template; give a \"prompt\" instead")
            }
            return (try ChatTemplate(source), configuration)
        } catch let error as JSONSyntaxError {
            throw StudentError("\(path):\(error.line):\(error.column)", error.message)
        } catch let error as TokenizerError {
            throw StudentError(path, error.path.isEmpty ? error.problem : "\(error.path) \(error.problem)")
        } catch let error as ChatTemplateError {
            throw StudentError(directory, "the chat template cannot be read: \(error)")
        }
    }
}
