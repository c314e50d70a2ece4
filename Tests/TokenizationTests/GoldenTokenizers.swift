import TestData
import Tokenization

/// The tokenizers of the goldens, read once for all tests.
enum GoldenTokenizers {
    static let families = ["smollm2", "gpt2", "llama3", "qwen2", "llama2", "llama2_metaspace"]

    private static let loaded: [String: Result<Tokenizer, any Error>] = {
        var loaded: [String: Result<Tokenizer, any Error>] = [:]
        for family in families {
            loaded[family] = Result {
                try Tokenizer(json: SharedData.bytes("goldens/tokenizers/\(family)/tokenizer.json"))
            }
        }
        return loaded
    }()

    static func tokenizer(_ family: String) throws -> Tokenizer { try loaded[family]!.get() }
}
