import CanonicalJSON
import Tokenization

/// The tokenizer in a checkpoint directory, read when it is first needed.
final class CheckpointTokenizer {
    private let path: String
    private var tokenizer: Tokenizer?

    init(directory: String) { path = "\(directory)/tokenizer.json" }

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
}
