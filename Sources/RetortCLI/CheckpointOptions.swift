import ArgumentParser

/// What `score` and `generate` have alike: a checkpoint, lines in, lines out.
struct CheckpointOptions: ParsableArguments {
    @Option(help: "A Hugging Face checkpoint directory.", completion: .directory)
    var checkpoint: String

    @Option(help: "A PEFT adapter directory to apply to it.", completion: .directory)
    var adapter: String?

    @Argument(help: "The JSON Lines file; standard input unless given.", completion: .file())
    var file: String?

    @Option(name: .shortAndLong, help: "Where to write; standard output unless given.", completion: .file())
    var output: String?

    @OptionGroup var execution: ExecutionOptions
}
