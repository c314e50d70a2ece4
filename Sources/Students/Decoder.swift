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
        _ configuration: DecoderConfiguration, parameters: [Parameter], positions: Int, activation: Tensor.Element
    ) throws {
        precondition(parameters.map(\.name) == configuration.parameterShapes.map(\.name), "other parameters wanted")
        self.configuration = configuration
        self.parameters = parameters
        self.activation = activation
        let byName = Dictionary(parameters.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        let tensor = { (name: String) in byName[name] }
        embedding = byName["model.embed_tokens.weight"]!
        norm = byName["model.norm.weight"]!
        output = byName["lm_head.weight"] ?? embedding
        layers = (0..<configuration.layers).map { DecoderLayer(prefix: "model.layers.\($0)", tensor) }
        attention = Attention(
            heads: configuration.heads, keyValueHeads: configuration.keyValueHeads, headSize: configuration.headSize,
            window: configuration.window,
            rotary: try RotaryTable(
                frequencies: configuration.rotary.frequencies(headSize: configuration.headSize),
                positions: min(positions, configuration.maxPositions),
                type: embedding.type == .float64 ? .float64 : .float32))
    }

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

    /// - Parameter last: the rows the last layer computes, in order; nil for all.
    private func forward(
        _ tokens: [Int64], last: [Int64]?, attend: (Int, Tensor, Tensor, Tensor) throws(TensorError) -> Tensor
    ) throws(TensorError) -> Tensor {
        let epsilon = configuration.epsilon
        var x = try embedding.embedding(of: tokens)
        var delta: Tensor?
        for (index, layer) in layers.enumerated() {
            var h: Tensor
            (x, h) = try x.addingAndNormalizing(delta, weight: layer.inputNorm, epsilon: epsilon, to: activation)
            var (q, k, v): (Tensor, Tensor, Tensor)
            if let last, index == layers.count - 1, last.count < tokens.count {
                let kv = try h.linears(
                    [layer.key.weight, layer.value.weight], biases: [layer.key.bias, layer.value.bias])
                (k, v) = (kv[0], kv[1])
                q = try h.rows(last).linear(layer.query.weight, bias: layer.query.bias)
                x = try x.rows(last)
            } else {
                let qkv = try h.linears(
                    [layer.query.weight, layer.key.weight, layer.value.weight],
                    biases: [layer.query.bias, layer.key.bias, layer.value.bias])
                (q, k, v) = (qkv[0], qkv[1], qkv[2])
            }
            if let weight = layer.queryNorm { q = try q.normalizingHeads(weight: weight, epsilon: epsilon) }
            if let weight = layer.keyNorm { k = try k.normalizingHeads(weight: weight, epsilon: epsilon) }
            delta = try attend(index, q, k, v).linear(layer.output.weight, bias: layer.output.bias)
            (x, h) = try x.addingAndNormalizing(delta, weight: layer.attentionNorm, epsilon: epsilon, to: activation)
            let wide = try h.linears(
                [layer.gate.weight, layer.up.weight], biases: [layer.gate.bias, layer.up.bias])
            delta = try wide[0].swiGLU(wide[1]).linear(layer.down.weight, bias: layer.down.bias)
        }
        return try x.addingAndNormalizing(delta, weight: norm, epsilon: epsilon, to: activation).normed
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

    init(_ name: String, _ tensor: (String) -> Tensor?) {
        weight = tensor("\(name).weight")!
        bias = tensor("\(name).bias")
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

    init(prefix: String, _ tensor: (String) -> Tensor?) {
        inputNorm = tensor("\(prefix).input_layernorm.weight")!
        query = Projection("\(prefix).self_attn.q_proj", tensor)
        key = Projection("\(prefix).self_attn.k_proj", tensor)
        value = Projection("\(prefix).self_attn.v_proj", tensor)
        output = Projection("\(prefix).self_attn.o_proj", tensor)
        queryNorm = tensor("\(prefix).self_attn.q_norm.weight")
        keyNorm = tensor("\(prefix).self_attn.k_norm.weight")
        attentionNorm = tensor("\(prefix).post_attention_layernorm.weight")!
        gate = Projection("\(prefix).mlp.gate_proj", tensor)
        up = Projection("\(prefix).mlp.up_proj", tensor)
        down = Projection("\(prefix).mlp.down_proj", tensor)
    }
}
