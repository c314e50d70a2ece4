import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Tokenization

extension JobRunner {
    func generate(_ job: GenerationJob) throws {
        try prepare(job.execution)
        let checkpoint = try Checkpoint(directory: job.checkpoint)
        let tokenizer = CheckpointTokenizer(directory: job.checkpoint)
        let prompts = try PromptFile.read(
            job.prompts, configuration: checkpoint.configuration, tokenizer: tokenizer)
        let stopTexts = try StopTexts(job.stopTexts, tokenizer: tokenizer.load())
        let decoder = job.decodesText || tokenizer.isLoaded ? try tokenizer.load() : nil
        let stops = job.stopTokens.isEmpty ? checkpoint.configuration.endTokens : job.stopTokens
        let generator = Generator(
            model: try model(job, checkpoint, longest: prompts.map(\.tokens.count).max() ?? 0), slots: job.batch,
            maxNewTokens: job.maxNewTokens, stopTokens: Set(stops.map(Int64.init)), stopTexts: stopTexts)
        let start = clock()
        let results = try generator.generate(prompts.map { request(for: $0, job) }) { done in
            try report(WorkProgress(done: done, total: prompts.count, unit: "prompts"))
        }
        let seconds = clock() - start
        var output: [UInt8] = []
        for (prompt, samples) in zip(prompts, results) {
            for (index, sample) in samples.enumerated() {
                let text = decoder?.decode(sample.tokens, skipsSpecialTokens: true)
                let generation = Generation(
                    id: prompt.id, sample: job.samples > 1 ? index : nil, promptTokens: prompt.tokens.count,
                    tokens: sample.tokens, text: text.map { stopTexts?.cut($0) ?? $0 }, finish: sample.finish)
                output += generation.json.canonicalBytes + [UInt8(ascii: "\n")]
            }
        }
        try AtomicFile.replace(job.output, with: output)
        let tokens = results.joined().reduce(0) { $0 + $1.tokens.count }
        try report(.done(WorkSummary(output: job.output, steps: 0, tokens: tokens, seconds: seconds)))
    }

    private func request(for prompt: PromptFile.Prompt, _ job: GenerationJob) -> GenerationRequest {
        var stream = RandomStream(seed: job.seed, path: RandomStream.path(prompt.id))
        return GenerationRequest(
            prompt: prompt.tokens, samples: job.samples, sampling: job.sampling, seed: prompt.seed ?? stream.next())
    }

    private func model(_ job: GenerationJob, _ checkpoint: Checkpoint, longest: Int) throws -> Decoder {
        let activation: Tensor.Element = job.execution.precision == .bfloat16 ? .bfloat16 : .float32
        let adapter = try job.adapter.map { try Adapter(directory: $0, for: checkpoint) }
        return try checkpoint.model(
            positions: min(checkpoint.configuration.maxPositions, max(1, longest + job.maxNewTokens)),
            activation: activation, matrices: activation, adapter: adapter)
    }
}
