import CanonicalJSON
import StudentJobs
import Tokenization

/// The prompts of a generation job.
enum PromptFile {
    struct Prompt: Equatable {
        let id: String
        let tokens: [Int32]
        var seed: UInt64?
    }

    /// Reads JSON Lines of prompts; blank lines are skipped.
    ///
    /// - Parameter tokenizer: loaded for a prompt that came as text or chat, and only then.
    /// - Throws: ``StudentError`` naming file and line: text that is no prompt, an id given twice, an empty prompt, a
    ///   token outside the vocabulary, a prompt that fills the model's positions, a chat that the template refuses.
    static func read(
        _ path: String, configuration: DecoderConfiguration, tokenizer: CheckpointTokenizer
    ) throws -> [Prompt] {
        var prompts: [Prompt] = []
        var lines: [[UInt8]: Int] = [:]
        let bytes = try FileSystem.read(path)
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
            let place = "\(path):\(index + 1)"
            let prompt = try parse(line, place, number: index + 1)
            let named = "\(place), \"\(prompt.id)\""
            if let first = lines.updateValue(index + 1, forKey: Array(prompt.id.utf8)) {
                throw StudentError(place, "the id \"\(prompt.id)\" was used in line \(first) already")
            }
            let tokens: [Int32] =
                switch prompt.content {
                case .tokens(let tokens): tokens
                case .text(let text): try tokenizer.load().encodePrompt(text)
                case .chat(let turns): try tokenizer.load().encode(tokenizer.chat(turns, place))
                }
            guard !tokens.isEmpty else { throw StudentError(place, "the prompt is empty") }
            if let token = tokens.first(where: { $0 >= configuration.vocabSize }) {
                throw StudentError(
                    place, "the token \(token) is outside the model's vocabulary of \(configuration.vocabSize)")
            }
            guard tokens.count < configuration.maxPositions else {
                throw StudentError(
                    named,
                    "the prompt has \(tokens.count) tokens and leaves no room in the model's "
                        + "\(configuration.maxPositions) positions")
            }
            prompts.append(Prompt(id: prompt.id, tokens: tokens, seed: prompt.seed))
        }
        return prompts
    }

    /// A prompt without an id gets its line's number.
    private static func parse(_ line: ArraySlice<UInt8>, _ place: String, number: Int) throws -> GenerationPrompt {
        do {
            let json = try JSON.parse(line)
            guard var object = json.object else { throw StudentError(place, "should be an object, found \(json.kind)") }
            if object["id"] == nil { object["id"] = .string("\(number)") }
            return try GenerationPrompt(json: object)
        } catch let error as JSONSyntaxError {
            throw StudentError("\(place):\(error.column)", error.message)
        } catch let error as JSONFieldError {
            throw StudentError(place, "\(error)")
        }
    }
}
