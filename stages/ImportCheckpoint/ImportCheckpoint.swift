import CanonicalJSON
import ContentStore
import StageGraph

/// A Hugging Face checkpoint from a folder, as a student to go on from. Its content, not its path, is what counts.
///
/// A folder with nothing but config.json is a shape without weights: the stage that trains it draws them at random, and
/// its tokenizer has to be trained.
struct ImportCheckpoint: Stage {
    static let signature = StageSignature(
        "import-checkpoint", version: 1, .source, "Takes a Hugging Face checkpoint directory as it is.",
        parameters: [
            Parameter(
                "path", .directory,
                "The folder with config.json, safetensors files and tokenizer files; config.json alone is a model to be "
                    + "initialised at random.")
        ],
        outputs: [
            OutputPort("checkpoint", .checkpoint, layout: .tree, "The checkpoint."),
            OutputPort("tokenizer", .tokenizer, layout: .tree, "Its tokenizer files."),
        ])

    private static let tokenizerFiles = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "chat_template.jinja", "vocab.json", "merges.txt", "tokenizer.model",
    ]
    private static let modelFiles = ["config.json", "generation_config.json", "model.safetensors.index.json"]

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let files = try context.sourceFiles("path")
        let folder = context.source("path").written
        let weights = files.filter { $0.hasSuffix(".safetensors") && !$0.contains("/") }
        guard files.contains("config.json") else {
            throw DataFileError(folder, "has no config.json; a checkpoint is a Hugging Face directory")
        }
        if weights.isEmpty {
            if let pickle = files.first(where: { name in [".bin", ".pt", ".pth"].contains { name.hasSuffix($0) } }) {
                throw DataFileError(
                    folder,
                    "has its weights in \(pickle), a pickle file, which can run any code when opened; convert the "
                        + "checkpoint to safetensors")
            }
        } else {
            for name in ["tokenizer.json", "tokenizer_config.json"] where !files.contains(name) {
                throw DataFileError(folder, "has no \(name); a student needs the tokenizer of its model")
            }
        }
        let model = files.filter { (Self.modelFiles + Self.tokenizerFiles).contains($0) } + weights
        try copy(model, context, to: "checkpoint")
        try copy(files.filter(Self.tokenizerFiles.contains), context, to: "tokenizer")
        return Accounting(recordsIn: 1, recordsOut: 1)
    }

    /// Files as they were when their digests went into the action key.
    private func copy(_ files: [String], _ context: any ActionContext, to output: String) throws {
        let directory = "\(context.scratchDirectory)/\(output)"
        try FileBytes.makeDirectory(directory)
        for name in files { try FileBytes.write(context.sourceBytes("path", file: name), to: "\(directory)/\(name)") }
        try context.write(directory: directory, to: output)
    }
}
