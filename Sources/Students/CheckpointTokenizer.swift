import CanonicalJSON
import Tokenization

/// The tokenizer in a checkpoint directory, read when it is first needed.
final class CheckpointTokenizer {
    let directory: String
    private var tokenizer: Tokenizer?

    init(directory: String) { self.directory = directory }

    private var path: String { "\(directory)/tokenizer.json" }

    var isLoaded: Bool { tokenizer != nil }

    /// - Throws: ``StudentError`` naming the file when it is missing or no tokenizer this engine supports.
    func load() throws -> Tokenizer {
        if let tokenizer { return tokenizer }
        let bytes = try FileSystem.read(path)
        do {
            let loaded = try Tokenizer(json: bytes)
            tokenizer = loaded
            return loaded
        } catch let error as JSONSyntaxError {
            throw StudentError("\(path):\(error.line):\(error.column)", error.message)
        } catch let error as TokenizerError {
            throw StudentError(path, error.path.isEmpty ? error.problem : "\(error.path) \(error.problem)")
        }
    }

    /// Throws where the tokenizer has tokens that the model has no embedding for. A directory without a tokenizer is
    /// fine.
    func check(_ configuration: DecoderConfiguration) throws {
        guard FileSystem.isFile(path) else { return }
        let size = try load().vocabularySize
        guard size <= configuration.vocabSize else {
            throw StudentError(
                path,
                "has \(size) tokens, the model's embedding \(configuration.vocabSize) (vocab_size in config.json); take "
                    + "the tokenizer that belongs to the model")
        }
    }
}
