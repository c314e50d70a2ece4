import StudentJobs
import Tensors

/// Greedy generation for many prompts: a fixed number of slots, each decoding one sequence; a slot whose sequence
/// ends takes the next prompt in the same step in which the others go on.
public final class Generator {
    let model: Decoder
    let slots: Int
    let maxNewTokens: Int
    let stopTokens: Set<Int64>

    /// - Parameter positions: the longest prompt plus the new tokens; bounds the key-value cache.
    init(model: Decoder, slots: Int, maxNewTokens: Int, stopTokens: Set<Int64>) {
        self.model = model
        self.slots = slots
        self.maxNewTokens = maxNewTokens
        self.stopTokens = stopTokens
    }

    /// A sequence being generated.
    private struct Slot {
        let prompt: Int
        /// Tokens the cache holds.
        var past: Int
        /// Tokens to feed next.
        var pending: [Int64]
        var output: [Int32] = []
    }

    /// What came of each prompt, in the order of the prompts.
    ///
    /// - Parameters:
    ///   - prompts: token ids; none empty, none longer than the model's positions.
    ///   - progress: called with the number of finished prompts whenever it grew; may throw to stop.
    /// - Complexity: O(new tokens · parameters / batch efficiency); the cache takes
    ///   slots · positions · layers · keyValueHeads · D · 8 bytes.
    func generate(
        _ prompts: [[Int32]], progress: (Int) throws -> Void = { _ in }
    ) throws -> [(tokens: [Int32], finish: Generation.Finish)] {
        guard let longest = prompts.map(\.count).max() else { return [] }
        let configuration = model.configuration
        let positions = min(configuration.maxPositions, longest + maxNewTokens)
        let width = min(slots, prompts.count)
        let caches = try (0..<configuration.layers).map { _ in
            try KeyValueCache(
                slots: width, keyValueHeads: configuration.keyValueHeads, positions: positions,
                headSize: configuration.headSize)
        }
        var results = [(tokens: [Int32], finish: Generation.Finish)?](repeating: nil, count: prompts.count)
        var active = [Slot?](repeating: nil, count: width)
        var next = 0
        var finished = 0
        try withoutGradients {
            while finished < prompts.count {
                for index in active.indices where active[index] == nil && next < prompts.count {
                    active[index] = Slot(prompt: next, past: 0, pending: prompts[next].map(Int64.init))
                    next += 1
                }
                let tokens = try decode(active, caches)
                let before = finished
                for index in active.indices {
                    guard var slot = active[index] else { continue }
                    let token = tokens[index]!
                    slot.past += slot.pending.count
                    slot.pending = [token]
                    var finish: Generation.Finish?
                    if stopTokens.contains(token) {
                        finish = .stop
                    } else {
                        slot.output.append(Int32(token))
                        if slot.output.count == maxNewTokens || slot.past >= positions { finish = .length }
                    }
                    if let finish {
                        results[slot.prompt] = (slot.output, finish)
                        finished += 1
                        active[index] = nil
                    } else {
                        active[index] = slot
                    }
                }
                if finished > before { try progress(finished) }
            }
        }
        return results.map { $0! }
    }

    /// One step of every active slot: the next token of each.
    private func decode(_ active: [Slot?], _ caches: [KeyValueCache]) throws -> [Int64?] {
        var tokens: [Int64] = []
        var spans: [CacheSpan] = []
        for (index, slot) in active.enumerated() {
            guard let slot else { continue }
            let start = tokens.count
            tokens += slot.pending
            spans.append(CacheSpan(slot: index, past: slot.past, rows: start..<tokens.count))
        }
        let best = try model(tokens, caches: caches, spans: spans)
            .mostLikelyTokens(output: model.output)
        var result = [Int64?](repeating: nil, count: active.count)
        for (span, token) in zip(spans, best) { result[span.slot] = token }
        return result
    }
}
