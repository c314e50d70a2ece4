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

    @OptionGroup var options: CheckpointOptions

    @Flag(help: "Append the end token to completions that come as text, as training does.")
    var appendEnd = false

    @Option(help: "Tokens computed side by side, at most.")
    var maxBatchTokens = 8192

    func validate() throws {
        if maxBatchTokens < 1 { throw ValidationError("--max-batch-tokens takes a number of at least 1") }
    }

    func run() async throws {
        try await StudentSession.run { [self] session in
            let written = options.output ?? "\(session.folder)/output.jsonl"
            let job = ScoringJob(
                checkpoint: options.checkpoint, adapter: options.adapter, input: try session.input(options.file),
                output: written,
                maxTokens: maxBatchTokens, appendsEnd: appendEnd, execution: options.execution.settings)
            _ = try await session.run(.score(job))
            if options.output == nil { try session.show(written) }
        }
    }
}
