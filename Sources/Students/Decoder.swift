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
        try forward(tokens) { (_, q, k, v) throws(TensorError) in try attention(q, k, v, segments: segments) }
    }

    /// The same for generation, new rows of the slots of a cache.
    func callAsFunction(_ tokens: [Int64], caches: [KeyValueCache], spans: [CacheSpan]) throws(TensorError) -> Tensor {
        try forward(tokens) { (layer, q, k, v) throws(TensorError) in
            try attention(q, k, v, cache: caches[layer], spans: spans)
        }
    }

    private func forward(
        _ tokens: [Int64], attend: (Int, Tensor, Tensor, Tensor) throws(TensorError) -> Tensor
    ) throws(TensorError) -> Tensor {
        let epsilon = configuration.epsilon
        var x = try embedding.embedding(of: tokens)
        var delta: Tensor?
        for (index, layer) in layers.enumerated() {
            var h: Tensor
            (x, h) = try x.addingAndNormalizing(delta, weight: layer.inputNorm, epsilon: epsilon, to: activation)
            let qkv = try h.linears(
                [layer.query.weight, layer.key.weight, layer.value.weight],
                biases: [layer.query.bias, layer.key.bias, layer.value.bias])
            var (q, k) = (qkv[0], qkv[1])
            if let weight = layer.queryNorm { q = try q.normalizingHeads(weight: weight, epsilon: epsilon) }
            if let weight = layer.keyNorm { k = try k.normalizingHeads(weight: weight, epsilon: epsilon) }
            delta = try attend(index, q, k, qkv[2]).linear(layer.output.weight, bias: layer.output.bias)
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
