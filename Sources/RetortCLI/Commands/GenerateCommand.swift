import ArgumentParser
import CanonicalJSON
import StudentJobs

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Lets a checkpoint complete prompts.")

    @Option(help: "A Hugging Face checkpoint directory.", completion: .directory)
    var checkpoint: String

    @Argument(help: "The JSON Lines file; standard input unless given.", completion: .file())
    var file: String?

    @Option(name: .shortAndLong, help: "Where to write; standard output unless given.", completion: .file())
    var output: String?

    @Option(help: "New tokens a completion, at most.")
    var maxNewTokens = 256

    @Option(help: "Completions written side by side.")
    var batchSize = 64

    @OptionGroup var execution: ExecutionOptions

    func validate() throws {
        for (name, value) in [("--max-new-tokens", maxNewTokens), ("--batch-size", batchSize)] where value < 1 {
            throw ValidationError("\(name) takes a number of at least 1")
        }
    }

    func run() async throws {
        try await StudentSession.run { [self] session in
            let written = output ?? "\(session.folder)/output.jsonl"
            let job = GenerationJob(
                checkpoint: checkpoint, prompts: try session.input(file), output: written,
                maxNewTokens: maxNewTokens, batch: batchSize, decodesText: true, execution: execution.settings)
            _ = try await session.run(.generate(job))
            if output == nil { try session.show(written) }
        }
    }
}
