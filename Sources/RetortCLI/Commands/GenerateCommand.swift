import ArgumentParser
import CanonicalJSON
import Glibc
import StudentJobs

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Lets a checkpoint complete prompts.",
        discussion: """
            Reads JSON Lines: "prompt" as text, encoded without special tokens, or "prompt_ids", or "messages" (role and \
            content), which the checkpoint's chat template writes out. Optional are "id" (the line's number unless given) \
            and "seed".

            Writes a line a completion: "id", "sample" (with -n), "text", "ids", "prompt_tokens", and "finish_reason", \
            stop or length.
            """)

    @OptionGroup var options: CheckpointOptions

    @Option(help: "New tokens a completion, at most.")
    var maxNewTokens = 256

    @Option(help: "Softens the choice of tokens; 0 takes the most likely one.")
    var temperature = 0.0

    @Option(help: "Draws from the fewest most likely tokens that together have this probability.")
    var topP = 1.0

    @Option(help: "Draws from so many of the most likely tokens; all unless given.")
    var topK: Int?

    @Option(help: "Seeds the draws, together with the id of each prompt.")
    var seed = 0

    @Option(name: .customLong("stop"), help: "A text that ends a completion; may be given several times.")
    var stops: [String] = []

    @Option(name: .customShort("n"), help: "Completions of each prompt.")
    var samples = 1

    @Option(help: "Completions written side by side.")
    var batchSize = 64

    func validate() throws {
        for (name, value) in [
            ("--max-new-tokens", maxNewTokens), ("--batch-size", batchSize), ("-n", samples), ("--top-k", topK ?? 1),
        ] where value < 1 {
            throw ValidationError("\(name) takes a number of at least 1")
        }
        guard temperature >= 0, temperature.isFinite else { throw ValidationError("--temperature takes 0 or more") }
        guard topP > 0, topP <= 1 else { throw ValidationError("--top-p takes a number above 0 and up to 1") }
        if stops.contains("") { throw ValidationError("--stop takes a text that is not empty") }
    }

    func run() async throws {
        try await StudentSession.run { [self] session in
            // A checkpoint without a tokenizer takes and gives ids only.
            let decodes = access("\(options.checkpoint)/tokenizer.json", R_OK) == 0
            let written = options.output ?? "\(session.folder)/output.jsonl"
            let job = GenerationJob(
                checkpoint: options.checkpoint, adapter: options.adapter, prompts: try session.input(options.file),
                output: written,
                maxNewTokens: maxNewTokens, batch: batchSize, stopTexts: stops,
                sampling: SamplingSettings(temperature: temperature, topK: topK, topP: topP), samples: samples,
                seed: UInt64(bitPattern: Int64(seed)), decodesText: decodes, execution: options.execution.settings)
            _ = try await session.run(.generate(job))
            if options.output == nil { try session.show(written) }
        }
    }
}
