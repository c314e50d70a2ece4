import CTorch

/// Causal attention with rotary embeddings over sequences that lie end to end.
public struct Attention {
    public let heads: Int
    public let keyValueHeads: Int
    public let headSize: Int
    /// A query at position q sees keys at positions above q − window; nil for all.
    public let window: Int?
    public let rotary: RotaryTable

    public init(heads: Int, keyValueHeads: Int, headSize: Int, window: Int? = nil, rotary: RotaryTable) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headSize = headSize
        self.window = window
        self.rotary = rotary
    }

    var shape: CTAttentionShape {
        CTAttentionShape(
            heads: Int64(heads), key_value_heads: Int64(keyValueHeads), head_size: Int64(headSize),
            window: Int64(window ?? 0), scale: 1 / Double(headSize).squareRoot())
    }

    /// softmax(q · kᵀ / √D) · v for each head of each segment, q and k rotated by their positions first.
    ///
    /// - Parameters:
    ///   - q: [Q, heads · D], a row for each query of the segments; Q is T where every row has one.
    ///   - k: [T, keyValueHeads · D]; each key head serves heads / keyValueHeads query heads.
    ///   - v: like k.
    ///   - segments: cover the rows in order.
    /// - Returns: [Q, heads · D].
    /// - Complexity: O(Σ length · (prefix + length) · heads · D) time; no score matrix outlives its block.
    public func callAsFunction(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, segments: [Segment]
    ) throws(TensorError) -> Tensor {
        var queries = 0
        let list = segments.map { segment in
            defer { queries += segment.rows.count - segment.firstQuery }
            return segment.segment(queryStart: queries)
        }
        return try Tensor(
            owning: produce("attention") {
                ct_attention(
                    q.handle, k.handle, v.handle, rotary.cosines.handle, rotary.sines.handle, shape, list,
                    Int64(list.count), $0)
            })
    }

    /// The same for generation: new keys and values join the cache, and each new row sees all of its slot so far.
    public func callAsFunction(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, cache: KeyValueCache, spans: [CacheSpan]
    ) throws(TensorError) -> Tensor {
        let list = spans.map(\.span)
        return try Tensor(
            owning: produce("cached attention") {
                ct_cached_attention(
                    q.handle, k.handle, v.handle, rotary.cosines.handle, rotary.sines.handle, shape,
                    cache.keys.handle, cache.values.handle, list, Int64(list.count), $0)
            })
    }
}

/// A run of rows that is a sequence, or continues the beginning of another.
public struct Segment: Sendable, Equatable {
    /// The rows every query of the segment sees: the beginning of the last segment that has no prefix itself.
    public var prefix: Range<Int>
    /// The segment's own rows; its first stands at position `prefix.count`.
    public var rows: Range<Int>
    /// How many of the first rows have keys but ask nothing.
    public var firstQuery: Int

    public init(prefix: Range<Int> = 0..<0, rows: Range<Int>, firstQuery: Int = 0) {
        self.prefix = prefix
        self.rows = rows
        self.firstQuery = firstQuery
    }

    func segment(queryStart: Int) -> CTSegment {
        CTSegment(
            prefix_start: Int64(prefix.lowerBound), prefix_length: Int64(prefix.count), start: Int64(rows.lowerBound),
            length: Int64(rows.count), first_query: Int64(firstQuery), query_start: Int64(queryStart))
    }
}

/// New rows of one slot of a key-value cache.
public struct CacheSpan: Sendable, Equatable {
    public var slot: Int
    /// Tokens the slot holds already.
    public var past: Int
    /// Where the new tokens lie among the rows.
    public var rows: Range<Int>

    public init(slot: Int, past: Int, rows: Range<Int>) {
        self.slot = slot
        self.past = past
        self.rows = rows
    }

    var span: CTCacheSpan {
        CTCacheSpan(
            slot: Int64(slot), past: Int64(past), start: Int64(rows.lowerBound), length: Int64(rows.count))
    }
}

/// The keys (rotated) and values of one layer for the sequences being generated: each [slots, heads, positions, D].
public struct KeyValueCache {
    let keys: Tensor
    let values: Tensor

    public init(slots: Int, keyValueHeads: Int, positions: Int, headSize: Int) throws(TensorError) {
        keys = try .zeros([slots, keyValueHeads, positions, headSize])
        values = try .zeros([slots, keyValueHeads, positions, headSize])
    }

    /// Gives slot `target` the first `count` positions of slot `source`.
    public func copy(_ count: Int, from source: Int, to target: Int) throws(TensorError) {
        try check(
            ct_copy_cache(keys.handle, values.handle, Int64(source), Int64(target), Int64(count)), "copying a cache")
    }
}

/// Cosines and sines of the rotary angles position · frequency: each [positions, D / 2].
///
/// - Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding".
public struct RotaryTable {
    public let cosines: Tensor
    public let sines: Tensor

    /// - Parameter frequencies: radians a position, one for each pair of elements of a head.
    public init(
        frequencies: [Double], positions: Int, scale: Double = 1, type: Tensor.Element = .float32,
        device: Tensor.Device = .cpu
    ) throws(TensorError) {
        var cosines: [Double] = []
        var sines: [Double] = []
        cosines.reserveCapacity(positions * frequencies.count)
        sines.reserveCapacity(positions * frequencies.count)
        for position in 0..<positions {
            for frequency in frequencies {
                cosines.append(cosine(Double(position) * frequency) * scale)
                sines.append(sine(Double(position) * frequency) * scale)
            }
        }
        let shape = [positions, frequencies.count]
        self.cosines = try Tensor(cosines, shape: shape).converted(to: type, device: device)
        self.sines = try Tensor(sines, shape: shape).converted(to: type, device: device)
    }
}
