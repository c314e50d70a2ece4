import ArgumentParser
import CanonicalJSON
import StudentJobs

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Scores completions with a checkpoint: the NLL of every completion token, and the losses.",
        discussion: """
            Reads JSON Lines: "prompt" and "completion" as texts, which are encoded one after the other without special \
            tokens, or "prompt_ids" and "completion_ids". Optional are "weights", one a completion token, and "id".

            Writes a line for each: "nll" (nats, one a completion token), "tokens", "sum", "mean", "greedy" (the share of \
            tokens that were the most likely ones), with weights "weighted_sum" and "weighted_mean" (the weighted sum \
            over all completion tokens), and "loss": "weighted_mean" where there are weights, else "mean". Completions \
            that came as text get "completion_ids".
            """)

    @Option(help: "A Hugging Face checkpoint directory.", completion: .directory)
    var checkpoint: String

    @Option(help: "A PEFT adapter directory to apply to it.", completion: .directory)
    var adapter: String?

    @Argument(help: "The JSON Lines file; standard input unless given.", completion: .file())
    var file: String?

    @Option(name: .shortAndLong, help: "Where to write; standard output unless given.", completion: .file())
    var output: String?

    @Flag(help: "Append the end token to completions that come as text, as training does.")
    var appendEnd = false

    @Option(help: "Tokens computed side by side, at most.")
    var maxBatchTokens = 8192

    @OptionGroup var execution: ExecutionOptions

    func validate() throws {
        if maxBatchTokens < 1 { throw ValidationError("--max-batch-tokens takes a number of at least 1") }
    }

    func run() async throws {
        try await StudentSession.run { [self] session in
            let written = output ?? "\(session.folder)/output.jsonl"
            let job = ScoringJob(
                checkpoint: checkpoint, adapter: adapter, input: try session.input(file), output: written,
                maxTokens: maxBatchTokens, appendsEnd: appendEnd, execution: execution.settings)
            _ = try await session.run(.score(job))
            if output == nil { try session.show(written) }
        }
    }
}
