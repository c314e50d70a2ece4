import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Tokenization

/// What a scoring job computes: the NLL of every completion token, batch by batch, in the order of the input.
struct ScoringRun {
    /// An example as token ids.
    struct Sample: Equatable {
        var id: String?
        var prompt: [Int32]
        var completion: [Int32]
        var weights: [Double]?
        /// The completion came as text, so its ids are news to the reader.
        var isText: Bool

        var count: Int { prompt.count + completion.count }
    }

    let model: Decoder
    let maxTokens: Int

    /// Scores samples; at most ``maxTokens`` tokens at a time, one sample at least.
    ///
    /// - Parameter progress: called with the number of samples done; may throw to stop.
    func score(_ samples: [Sample], progress: (Int) throws -> Void) throws -> [ScoredExample] {
        var results: [ScoredExample] = []
        results.reserveCapacity(samples.count)
        try withoutGradients {
            var start = 0
            while start < samples.count {
                var end = start + 1
                var tokens = samples[start].count
                while end < samples.count, tokens + samples[end].count <= maxTokens {
                    tokens += samples[end].count
                    end += 1
                }
                results += try score(samples[start..<end])
                start = end
                try progress(start)
            }
        }
        return results
    }

    private func score(_ samples: ArraySlice<Sample>) throws -> [ScoredExample] {
        let batch = PackedBatch(
            samples.lazy.map { TokenRecord(id: $0.id ?? "", prompt: $0.prompt, completion: $0.completion) }, weight: 1)
        let scored = try model.score(batch)
        var offset = 0
        return samples.map { sample in
            let range = offset..<offset + sample.completion.count
            offset = range.upperBound
            return ScoredExample(
                id: sample.id, completion: sample.isText ? sample.completion : nil, nll: Array(scored.nll[range]),
                greedy: Array(scored.correct[range]), weights: sample.weights)
        }
    }
}

extension ScoringRun {
    /// Reads the examples of a job as token ids.
    ///
    /// - Parameter tokenizer: called where an example came as text, and only then.
    /// - Throws: ``StudentError`` naming file and line: an empty side, weights of another number than tokens, an id
    ///   outside the vocabulary, an example longer than the model's positions. Whatever `tokenizer` throws.
    static func samples(
        _ job: ScoringJob, configuration: DecoderConfiguration, tokenizer: () throws -> Tokenizer
    ) throws -> [Sample] {
        let samples = try JSONLinesFile.read(job.input) { object, place in
            let example = try ScoringExample(json: object)
            var sample: Sample
            switch example.content {
            case .tokens(let prompt, let completion):
                sample = Sample(
                    id: example.id, prompt: prompt, completion: completion, weights: example.weights, isText: false)
            case .text(let prompt, let completion):
                sample = Sample(
                    id: example.id, prompt: try tokenizer().encodePrompt(prompt),
                    completion: try tokenizer().encode(completion), weights: example.weights, isText: true)
                if job.appendsEnd, let end = configuration.endTokens.first { sample.completion.append(Int32(end)) }
            }
            try check(sample, configuration, place)
            return sample
        }
        guard !samples.isEmpty else { throw StudentError(job.input, "has no lines to score") }
        return samples
    }

    private static func check(_ sample: Sample, _ configuration: DecoderConfiguration, _ place: String) throws {
        guard !sample.prompt.isEmpty else {
            throw StudentError(place, "the prompt is empty, so nothing predicts the first completion token")
        }
        guard !sample.completion.isEmpty else { throw StudentError(place, "the completion is empty") }
        if let weights = sample.weights, weights.count != sample.completion.count {
            throw StudentError(
                place,
                "field \"weights\" has \(weights.count) numbers for \(sample.completion.count) completion tokens; give "
                    + "one a token")
        }
        if let token = (sample.prompt + sample.completion).first(where: { $0 >= configuration.vocabSize }) {
            throw StudentError(
                place, "the token \(token) is outside the model's vocabulary of \(configuration.vocabSize)")
        }
        guard sample.count <= configuration.maxPositions else {
            throw StudentError(
                place, "is \(sample.count) tokens long, the model has \(configuration.maxPositions) positions")
        }
    }
}

extension JobRunner {
    func score(_ job: ScoringJob) throws {
        try prepare(job.execution)
        let checkpoint = try Checkpoint(directory: job.checkpoint)
        let tokenizer = CheckpointTokenizer(directory: job.checkpoint)
        let samples = try ScoringRun.samples(
            job, configuration: checkpoint.configuration, tokenizer: tokenizer.load)
        let activation: Tensor.Element = job.execution.precision == .bfloat16 ? .bfloat16 : .float32
        let adapter = try job.adapter.map { try Adapter(directory: $0, for: checkpoint) }
        let model = try checkpoint.model(
            positions: samples.map(\.count).max() ?? 1, activation: activation, matrices: activation, adapter: adapter)
        let start = clock()
        let results = try ScoringRun(model: model, maxTokens: job.maxTokens).score(samples) { done in
            try report(WorkProgress(done: done, total: samples.count, unit: "examples"))
        }
        let seconds = clock() - start
        var output: [UInt8] = []
        for result in results { output += result.json.canonicalBytes + [UInt8(ascii: "\n")] }
        try AtomicFile.replace(job.output, with: output)
        let tokens = results.reduce(0) { $0 + $1.nll.count }
        try report(.done(WorkSummary(output: job.output, steps: 0, tokens: tokens, seconds: seconds)))
    }
}
