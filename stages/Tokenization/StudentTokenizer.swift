import CanonicalJSON
import Tokenization

/// A tokenizer directory, as it lies in a tokenizer artifact or a checkpoint.
struct StudentTokenizer: Sendable {
    let tokenizer: Tokenizer
    /// The id that ends a completion.
    let endToken: Int

    /// The number of ids, from 0 without holes.
    var size: Int { tokenizer.vocabularySize }

    /// - Throws: when tokenizer.json or tokenizer_config.json is missing or malformed, or names no end token.
    init(directory: String) throws {
        let tokenizer = try Tokenizer(json: FileBytes.read("\(directory)/tokenizer.json"))
        let configuration = try TokenizerConfiguration(JSON.parse(FileBytes.read("\(directory)/tokenizer_config.json")))
        guard let id = configuration.endOfSequence.flatMap({ tokenizer.id(of: $0) }) else {
            throw StudentProcessError(
                description: "\(directory)/tokenizer_config.json names no end token (eos_token) of the vocabulary")
        }
        self.tokenizer = tokenizer
        endToken = Int(id)
    }

    /// The ids of a completion: its text, then the end token.
    func completion(_ text: String) -> [Int32] { tokenizer.encode(text) + [Int32(endToken)] }
}
