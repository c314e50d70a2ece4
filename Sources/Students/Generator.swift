import StudentJobs
import Tensors

/// What to generate.
public struct GenerationRequest: Sendable, Equatable {
    /// Token ids; not empty, shorter than the model's positions.
    public var prompt: [Int32]
    public var samples: Int
    public var sampling: SamplingSettings
    /// Seeds the draws of this request's samples, each with a stream of its own.
    public var seed: UInt64

    public init(prompt: [Int32], samples: Int = 1, sampling: SamplingSettings = .greedy, seed: UInt64 = 0) {
        self.prompt = prompt
        self.samples = samples
        self.sampling = sampling
        self.seed = seed
    }
}

/// Generation for many prompts: a fixed number of slots, each writing one sequence; a slot whose sequence ends takes
/// the next in the same step in which the others go on.
///
/// What a request gives is a function of the model and the request. Other requests, and the number of slots, play no
/// part, but that matrix products round differently for batches of different sizes: where two tokens tie to the last
/// digits, either may come out.
public final class Generator {
    /// What came of a sample.
    public typealias Output = (tokens: [Int32], finish: Generation.Finish)

    let model: Decoder
    let slots: Int
    let maxNewTokens: Int
    let stopTokens: Set<Int64>
    let stopTexts: StopTexts?

    /// Prompt tokens that are computed in one step, at most, which bounds the memory of their activations.
    static let promptTokensAtOnce = 4096
    /// Bytes of key-value cache, at most; fewer slots are used rather than more memory.
    static let cacheLimit = 2 << 30

    init(
        model: Decoder, slots: Int, maxNewTokens: Int, stopTokens: Set<Int64>, stopTexts: StopTexts? = nil
    ) {
        self.model = model
        self.slots = slots
        self.maxNewTokens = maxNewTokens
        self.stopTokens = stopTokens
        self.stopTexts = stopTexts
    }

    /// A sequence being generated.
    private struct Slot {
        let request: Int
        let sample: Int
        /// Tokens the cache holds.
        var past: Int
        /// Tokens to feed next.
        var pending: [Int64]
        var output: [Int32] = []
        let random: RandomStream
    }

    /// Greedily, one sequence for each prompt.
    func generate(_ prompts: [[Int32]], progress: (Int) throws -> Void = { _ in }) throws -> [Output] {
        try generate(prompts.map { GenerationRequest(prompt: $0) }, progress: progress).map { $0[0] }
    }

    /// What came of each request, in order, sample by sample.
    ///
    /// - Parameter progress: called with the number of finished requests whenever it grew; may throw to stop.
    /// - Complexity: O(new tokens · parameters / batch efficiency); prompts are computed once whatever the number of
    ///   samples. The cache takes slots · positions · layers · keyValueHeads · D · 8 bytes.
    func generate(
        _ requests: [GenerationRequest], progress: (Int) throws -> Void = { _ in }
    ) throws -> [[Output]] {
        guard let longest = requests.map(\.prompt.count).max() else { return [] }
        let positions = min(model.configuration.maxPositions, longest + maxNewTokens)
        let width = width(positions, samples: requests.reduce(0) { $0 + $1.samples })
        let caches = try caches(width, positions)
        var schedule = SlotSchedule(
            promptLengths: requests.map(\.prompt.count), samples: requests.map(\.samples), slots: width)
        var results = requests.map { [Output?](repeating: nil, count: $0.samples) }
        var active = [Slot?](repeating: nil, count: width)
        var remaining = requests.map(\.samples)
        var finished = 0
        try withoutGradients {
            while finished < requests.count {
                for start in schedule.fill(budget: Self.promptTokensAtOnce) {
                    active[start.slot] = try begin(start, requests[start.request], caches)
                }
                let tokens = try decode(active, requests, caches)
                let before = finished
                for index in active.indices {
                    guard var slot = active[index] else { continue }
                    let finish = take(tokens[index]!, &slot, positions)
                    active[index] = finish == nil ? slot : nil
                    guard let finish else { continue }
                    results[slot.request][slot.sample] = (slot.output, finish)
                    schedule.free(index)
                    remaining[slot.request] -= 1
                    if remaining[slot.request] == 0 { finished += 1 }
                }
                if finished > before { try progress(finished) }
            }
        }
        return results.map { $0.map { $0! } }
    }

    private func width(_ positions: Int, samples: Int) -> Int {
        let configuration = model.configuration
        let bytes = positions * configuration.layers * configuration.keyValueHeads * configuration.headSize * 8
        return max(1, min(slots, samples, Self.cacheLimit / bytes))
    }

    private func caches(_ slots: Int, _ positions: Int) throws -> [KeyValueCache] {
        let configuration = model.configuration
        return try (0..<configuration.layers).map { _ in
            try KeyValueCache(
                slots: slots, keyValueHeads: configuration.keyValueHeads, positions: positions,
                headSize: configuration.headSize)
        }
    }

    /// A slot that is about to compute its prompt, or has taken all of it but the last token from another.
    private func begin(
        _ start: SlotSchedule.Start, _ request: GenerationRequest, _ caches: [KeyValueCache]
    ) throws -> Slot {
        let prompt = request.prompt.map(Int64.init)
        let past = start.source == nil ? 0 : prompt.count - 1
        if let source = start.source {
            for cache in caches { try cache.copy(past, from: source, to: start.slot) }
        }
        return Slot(
            request: start.request, sample: start.sample, past: past, pending: Array(prompt[past...]),
            random: RandomStream(seed: request.seed, path: UInt64(start.sample)))
    }

    /// Adds a token to a slot; says how the sequence ended if it did.
    private func take(_ token: Int64, _ slot: inout Slot, _ positions: Int) -> Generation.Finish? {
        slot.past += slot.pending.count
        slot.pending = [token]
        if stopTokens.contains(token) { return .stop }
        slot.output.append(Int32(token))
        if let stopTexts, stopTexts.end(slot.output) { return .stop }
        return slot.output.count == maxNewTokens || slot.past >= positions ? .length : nil
    }

    /// One step of every active slot: the next token of each.
    private func decode(
        _ active: [Slot?], _ requests: [GenerationRequest], _ caches: [KeyValueCache]
    ) throws -> [Int64?] {
        var tokens: [Int64] = []
        var spans: [CacheSpan] = []
        for (index, slot) in active.enumerated() {
            guard let slot else { continue }
            let start = tokens.count
            tokens += slot.pending
            spans.append(CacheSpan(slot: index, past: slot.past, rows: start..<tokens.count))
        }
        let hidden = try model(tokens, caches: caches, spans: spans)
        let chosen = try hidden.drawnTokens(
            output: model.output,
            spans.map { span in
                let slot = active[span.slot]!
                let sampling = requests[slot.request].sampling
                var random = slot.random
                return TokenDraw(
                    temperature: sampling.temperature, topK: sampling.topK, topP: sampling.topP,
                    uniform: random.uniform(skipping: slot.output.count))
            })
        var result = [Int64?](repeating: nil, count: active.count)
        for (span, token) in zip(spans, chosen) { result[span.slot] = token }
        return result
    }
}
