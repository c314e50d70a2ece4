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

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let folder = try CheckpointFolder(context.sourceFiles("path"), name: context.source("path").written)
        try copy(folder.files, context, to: "checkpoint")
        try copy(folder.tokenizerFiles, context, to: "tokenizer")
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
