import StageGraph

/// Which files of a Hugging Face directory make the model; others, such as a README, play no part.
struct CheckpointFolder {
    private static let tokenizerNames = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "chat_template.jinja", "vocab.json", "merges.txt", "tokenizer.model",
    ]
    private static let modelNames = ["config.json", "generation_config.json", "model.safetensors.index.json"]

    /// All that count, weights last.
    let files: [String]
    let tokenizerFiles: [String]
    /// False for a shape whose weights nobody has drawn yet.
    let hasWeights: Bool

    /// - Parameters:
    ///   - listing: all files of the folder.
    ///   - name: of the folder, for messages.
    /// - Throws: ``DataFileError`` for a folder that is no checkpoint, and for pickled weights.
    init(_ listing: [String], name folder: String) throws {
        let weights = listing.filter { $0.hasSuffix(".safetensors") && !$0.contains("/") }
        guard listing.contains("config.json") else {
            throw DataFileError(folder, "has no config.json; a checkpoint is a Hugging Face directory")
        }
        if weights.isEmpty {
            if let pickle = listing.first(where: { name in [".bin", ".pt", ".pth"].contains { name.hasSuffix($0) } }) {
                throw DataFileError(
                    folder,
                    "has its weights in \(pickle), a pickle file, which can run any code when opened; convert the "
                        + "checkpoint to safetensors")
            }
        } else {
            for name in ["tokenizer.json", "tokenizer_config.json"] where !listing.contains(name) {
                throw DataFileError(folder, "has no \(name); a student needs the tokenizer of its model")
            }
        }
        tokenizerFiles = listing.filter(Self.tokenizerNames.contains)
        files = listing.filter { (Self.modelNames + Self.tokenizerNames).contains($0) } + weights
        hasWeights = !weights.isEmpty
    }
}
