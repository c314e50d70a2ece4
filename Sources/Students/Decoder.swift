import StudentJobs
import Tensors

/// A pre-norm decoder-only transformer: RMSNorm, rotary embeddings, grouped-query attention, SwiGLU.
///
///     x = embedding[tokens]
///     x = x + o(attention(rotate(q(norm(x))), rotate(k(norm(x))), v(norm(x))))      for each layer
///     x = x + down(silu(gate(norm(x))) · up(norm(x)))
///     logits = norm(x) · outputᵀ
///
/// - Source: Touvron et al., "LLaMA: Open and Efficient Foundation Language Models".
public final class Decoder {
    public let configuration: DecoderConfiguration
    /// All parameters with their checkpoint keys, in the order of the model.
    public let parameters: [Parameter]
    /// What layers compute in; the residual stream and the parameters keep their own type.
    public let activation: Tensor.Element

    /// Low-rank updates of the linear maps; nil for none.
    public let adapter: Adapter?
    /// Decides what dropout takes from the inputs of the adapter's updates in the next passes; nil for no dropout.
    var dropoutKey: UInt64?

    let embedding: Tensor
    let layers: [DecoderLayer]
    let norm: Tensor
    let attention: Attention
    /// The output layer [V, H]; the embedding where they are tied.
    public let output: Tensor

    /// - Parameters:
    ///   - parameters: by checkpoint key; exactly those the configuration asks for.
    ///   - positions: the longest sequence there will be.
    ///   - activation: bfloat16, or the type of the parameters.
    init(
        _ configuration: DecoderConfiguration, parameters: [Parameter], adapter: Adapter? = nil, positions: Int,
        activation: Tensor.Element
    ) throws {
        precondition(parameters.map(\.name) == configuration.parameterShapes.map(\.name), "other parameters wanted")
        self.configuration = configuration
        self.parameters = parameters
        self.adapter = adapter
        self.activation = activation
        let byName = Dictionary(parameters.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        let tensor = { (name: String) in byName[name] }
        embedding = byName["model.embed_tokens.weight"]!
        norm = byName["model.norm.weight"]!
        output = byName["lm_head.weight"] ?? embedding
        layers = (0..<configuration.layers).map {
            DecoderLayer(prefix: "model.layers.\($0)", tensor, update: { adapter?.update(of: $0) })
        }
        attention = Attention(
            heads: configuration.heads, keyValueHeads: configuration.keyValueHeads, headSize: configuration.headSize,
            window: configuration.window,
            rotary: try RotaryTable(
                frequencies: configuration.rotary.frequencies(headSize: configuration.headSize),
                positions: min(positions, configuration.maxPositions),
                type: embedding.type == .float64 ? .float64 : .float32))
    }

    /// What training changes: the adapter's parameters, or all of the model's where there is no adapter.
    public var trained: [Parameter] { adapter?.parameters ?? parameters }

    /// The same model with its adapter's updates added to the weights, each in the weight's own type.
    public func merged() throws -> Decoder {
        guard let adapter else { return self }
        let merged = try parameters.map { parameter in
            guard parameter.name.hasSuffix(".weight"),
                let update = adapter.update(of: String(parameter.name.dropLast(".weight".count)))
            else { return parameter }
            return Parameter(name: parameter.name, tensor: try update.merged(into: parameter.tensor))
        }
        return try Decoder(
            configuration, parameters: merged, positions: attention.rotary.cosines.shape[0], activation: activation)
    }
}

extension Decoder {
    /// Hidden states after the last norm, [tokens, H] in the activation type.
    ///
    /// - Parameter segments: which rows make which sequence; cover `tokens` in order.
    public func callAsFunction(_ tokens: [Int64], segments: [Segment]) throws(TensorError) -> Tensor {
        try forward(tokens, last: nil) { (_, q, k, v) throws(TensorError) in
            try attention(q, k, v, segments: segments)
        }
    }

    /// The loss of a batch. The last layer leaves out rows from which nothing is predicted.
    func score(_ batch: PackedBatch) throws(TensorError) -> ScoredTokens {
        let last = LastRows(batch)
        let hidden = try forward(batch.tokens, last: last.rows) { (layer, q, k, v) throws(TensorError) in
            try attention(q, k, v, segments: layer == layers.count - 1 ? last.segments : batch.segments)
        }
        return try hidden.tokenLoss(last.targets, output: output)
    }

    /// The same for generation, new rows of the slots of a cache: hidden states of the last row of each span.
    func callAsFunction(_ tokens: [Int64], caches: [KeyValueCache], spans: [CacheSpan]) throws(TensorError) -> Tensor {
        let hidden = try forward(tokens, last: nil) { (layer, q, k, v) throws(TensorError) in
            try attention(q, k, v, cache: caches[layer], spans: spans)
        }
        guard tokens.count > spans.count else { return hidden }
        return try hidden.rows(spans.map { Int64($0.rows.upperBound - 1) })
    }

    /// What one layer hands to the next: the residual stream x [T, H], and what is still to be added to it.
    struct Stream {
        var x: Tensor
        var delta: Tensor?
    }

    typealias Attend = (_ layer: Int, _ q: Tensor, _ k: Tensor, _ v: Tensor) throws(TensorError) -> Tensor

    /// - Parameter last: the rows the last layer computes, in order; nil for all.
    private func forward(_ tokens: [Int64], last: [Int64]?, attend: Attend) throws(TensorError) -> Tensor {
        var stream = Stream(x: try embedding.embedding(of: tokens))
        for index in layers.indices {
            stream = try run(index, stream, rows: index == layers.count - 1 ? last : nil, attend: attend)
        }
        return try normalize(stream)
    }

    /// The last norm.
    func normalize(_ stream: Stream) throws(TensorError) -> Tensor {
        try stream.x.addingAndNormalizing(
            stream.delta, weight: norm, epsilon: configuration.epsilon, to: activation
        ).normed
    }

    /// One layer.
    ///
    /// - Parameter rows: the rows that go on, in order; nil for all.
    func run(_ index: Int, _ stream: Stream, rows: [Int64]?, attend: Attend) throws(TensorError) -> Stream {
        let epsilon = configuration.epsilon
        let layer = layers[index]
        var (x, h) = try stream.x.addingAndNormalizing(
            stream.delta, weight: layer.inputNorm, epsilon: epsilon, to: activation)
        var (q, k, v): (Tensor, Tensor, Tensor)
        if let rows, rows.count < h.shape[0] {
            let kv = try apply([layer.key, layer.value], to: h)
            (k, v) = (kv[0], kv[1])
            q = try apply([layer.query], to: h.rows(rows))[0]
            x = try x.rows(rows)
        } else {
            let qkv = try apply([layer.query, layer.key, layer.value], to: h)
            (q, k, v) = (qkv[0], qkv[1], qkv[2])
        }
        if let weight = layer.queryNorm { q = try q.normalizingHeads(weight: weight, epsilon: epsilon) }
        if let weight = layer.keyNorm { k = try k.normalizingHeads(weight: weight, epsilon: epsilon) }
        let attended = try apply([layer.output], to: attend(index, q, k, v))[0]
        (x, h) = try x.addingAndNormalizing(attended, weight: layer.attentionNorm, epsilon: epsilon, to: activation)
        let wide = try apply([layer.gate, layer.up], to: h)
        return Stream(x: x, delta: try apply([layer.down], to: wide[0].swiGLU(wide[1]))[0])
    }

    /// Linear maps of one input.
    private func apply(_ projections: [Projection], to h: Tensor) throws(TensorError) -> [Tensor] {
        let (weights, biases) = (projections.map(\.weight), projections.map(\.bias))
        guard let adapter, projections.contains(where: { $0.update != nil }) else {
            return try h.linears(weights, biases: biases)
        }
        let share = adapter.settings.dropout
        let updates = projections.map { projection -> (lowRank: LowRank, dropout: Dropout?)? in
            guard let update = projection.update else { return nil }
            guard share > 0, let key = dropoutKey else { return (update, nil) }
            return (update, Dropout(share: share, key: key ^ projection.path))
        }
        return try h.linears(weights, biases: biases, updates: updates)
    }
}

/// A parameter and its checkpoint key.
public struct Parameter {
    public let name: String
    public let tensor: Tensor
}

/// A linear map of the model.
struct Projection {
    let weight: Tensor
    let bias: Tensor?
    let update: LowRank?
    /// Tells the map's dropout from that of others.
    let path: UInt64

    init(_ name: String, _ tensor: (String) -> Tensor?, _ update: (String) -> LowRank?) {
        weight = tensor("\(name).weight")!
        bias = tensor("\(name).bias")
        self.update = update(name)
        path = RandomStream.path(name)
    }
}

/// The parameters of one layer.
struct DecoderLayer {
    let inputNorm: Tensor
    let query: Projection
    let key: Projection
    let value: Projection
    let output: Projection
    let queryNorm: Tensor?
    let keyNorm: Tensor?
    let attentionNorm: Tensor
    let gate: Projection
    let up: Projection
    let down: Projection

    init(prefix: String, _ tensor: (String) -> Tensor?, update: (String) -> LowRank?) {
        inputNorm = tensor("\(prefix).input_layernorm.weight")!
        query = Projection("\(prefix).self_attn.q_proj", tensor, update)
        key = Projection("\(prefix).self_attn.k_proj", tensor, update)
        value = Projection("\(prefix).self_attn.v_proj", tensor, update)
        output = Projection("\(prefix).self_attn.o_proj", tensor, update)
        queryNorm = tensor("\(prefix).self_attn.q_norm.weight")
        keyNorm = tensor("\(prefix).self_attn.k_norm.weight")
        attentionNorm = tensor("\(prefix).post_attention_layernorm.weight")!
        gate = Projection("\(prefix).mlp.gate_proj", tensor, update)
        up = Projection("\(prefix).mlp.up_proj", tensor, update)
        down = Projection("\(prefix).mlp.down_proj", tensor, update)
    }
}
