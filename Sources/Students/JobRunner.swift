import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Tokenization

/// Does one job, reporting on the way.
struct JobRunner {
    /// Receives each event; may throw to stop the work.
    let report: (WorkerEvent) throws -> Void
    /// Seconds on a clock that only runs forward.
    let clock: () -> Double
    /// Whether the work should end as soon as it can.
    var isCancelled: () -> Bool = { false }

    func run(_ job: StudentJob) throws {
        switch job {
        case .train(let job): try train(job)
        case .generate(let job): try generate(job)
        case .score(let job): try score(job)
        case .inspect(let job): try inspect(job)
        case .convert(let job): try convert(job)
        }
    }

    private func generate(_ job: GenerationJob) throws {
        try prepare(job.execution)
        let checkpoint = try Checkpoint(directory: job.checkpoint)
        let tokenizer = CheckpointTokenizer(directory: job.checkpoint)
        let prompts = try PromptFile.read(
            job.prompts, configuration: checkpoint.configuration, tokenizer: tokenizer.load)
        let decoder = job.decodesText || tokenizer.isLoaded ? try tokenizer.load() : nil
        let longest = prompts.map(\.tokens.count).max() ?? 0
        let activation: Tensor.Element = job.execution.precision == .bfloat16 ? .bfloat16 : .float32
        let model = try checkpoint.model(
            positions: min(checkpoint.configuration.maxPositions, max(1, longest + job.maxNewTokens)),
            activation: activation, matrices: activation)
        let stops = job.stopTokens.isEmpty ? checkpoint.configuration.endTokens : job.stopTokens
        let generator = Generator(
            model: model, slots: job.batch, maxNewTokens: job.maxNewTokens, stopTokens: Set(stops.map(Int64.init)))
        let start = clock()
        let results = try generator.generate(prompts.map(\.tokens)) { done in
            if isCancelled() { throw StudentError("retort-student", "was told to stop; nothing was written") }
            try report(.progress(WorkProgress(done: done, total: prompts.count, unit: "prompts")))
        }
        let seconds = clock() - start
        var output: [UInt8] = []
        for (prompt, result) in zip(prompts, results) {
            let generation = Generation(
                id: prompt.id, tokens: result.tokens,
                text: decoder?.decode(result.tokens, skipsSpecialTokens: true), finish: result.finish)
            output += generation.json.canonicalBytes + [UInt8(ascii: "\n")]
        }
        try AtomicFile.replace(job.output, with: output)
        let tokens = results.reduce(0) { $0 + $1.tokens.count }
        try report(.done(WorkSummary(output: job.output, steps: 0, tokens: tokens, seconds: seconds)))
    }

    func prepare(_ execution: ExecutionSettings) throws {
        try TensorLibrary.initialize(threads: execution.threads)
        guard execution.device == .cuda else { return }
        throw StudentError("device", "is cuda, which this build does not train on; use cpu")
    }

    func requireAbsent(_ directory: String) throws {
        guard FileSystem.isDirectory(directory) || FileSystem.isFile(directory) else { return }
        if FileSystem.isDirectory(directory), try FileSystem.list(directory).isEmpty { return }
        throw StudentError(directory, "exists already; a checkpoint is written to a new directory")
    }
}
