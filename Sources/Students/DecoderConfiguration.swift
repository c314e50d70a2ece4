import StudentJobs

/// What a pre-norm decoder of the LLaMA kind is made of; each model family reads its config.json into this.
public struct DecoderConfiguration: Sendable, Equatable {
    public var vocabSize: Int
    /// Width H of the residual stream.
    public var hiddenSize: Int
    public var intermediateSize: Int
    public var layers: Int
    public var heads: Int
    public var keyValueHeads: Int
    /// Width D of a head; not always H / heads.
    public var headSize: Int
    /// Longest sequence in tokens.
    public var maxPositions: Int
    public var epsilon: Double
    public var rotary: RotarySettings
    /// A query at position q sees keys at positions above q − window. Nil: all.
    public var window: Int?
    /// Whether the output layer is the embedding.
    public var isTied: Bool
    /// Whether q, k and v have biases.
    public var hasQueryBias = false
    /// Whether o has a bias.
    public var hasOutputBias = false
    /// Whether gate, up and down have biases.
    public var hasFeedForwardBias = false
    /// Whether each head of q and k is normalised before rotation.
    public var normalizesHeads = false
    /// Tokens that end a generation.
    public var endTokens: [Int]
    /// Standard deviation of random initial weights.
    public var initializerRange = 0.02
}

extension DecoderConfiguration {
    /// The LLaMA of a job.
    public init(_ model: ModelConfiguration) {
        self.init(
            vocabSize: model.vocabSize, hiddenSize: model.hiddenSize, intermediateSize: model.intermediateSize,
            layers: model.hiddenLayers, heads: model.attentionHeads, keyValueHeads: model.keyValueHeads,
            headSize: model.headSize, maxPositions: model.maxPositions, epsilon: model.rmsNormEpsilon,
            rotary: RotarySettings(theta: model.ropeTheta), isTied: model.tieWordEmbeddings,
            endTokens: model.eosTokenID.map { [$0] } ?? [])
    }
}

/// A parameter by its checkpoint key.
struct ParameterShape: Equatable {
    let name: String
    let shape: [Int]
    let initial: Initial

    enum Initial {
        case normal
        case ones
        case zeros
    }
}

extension DecoderConfiguration {
    /// Every parameter of the model, in the order of the model:
    ///
    ///     model.embed_tokens.weight                          [V, H]
    ///     model.layers.N.input_layernorm.weight              [H]
    ///     model.layers.N.self_attn.q_proj.weight             [heads · D, H]   (.bias [heads · D])
    ///     model.layers.N.self_attn.{k,v}_proj.weight         [keyValueHeads · D, H]   (.bias)
    ///     model.layers.N.self_attn.o_proj.weight             [H, heads · D]   (.bias [H])
    ///     model.layers.N.self_attn.{q,k}_norm.weight         [D]   where heads are normalised
    ///     model.layers.N.post_attention_layernorm.weight     [H]
    ///     model.layers.N.mlp.{gate,up}_proj.weight           [intermediate, H]   (.bias)
    ///     model.layers.N.mlp.down_proj.weight                [H, intermediate]   (.bias)
    ///     model.norm.weight                                  [H]
    ///     lm_head.weight                                     [V, H]   unless tied
    var parameterShapes: [ParameterShape] {
        var result: [ParameterShape] = []
        func add(_ name: String, _ shape: [Int], _ initial: ParameterShape.Initial = .normal) {
            result.append(ParameterShape(name: name, shape: shape, initial: initial))
        }
        func addLinear(_ name: String, _ out: Int, _ `in`: Int, bias: Bool) {
            add("\(name).weight", [out, `in`])
            if bias { add("\(name).bias", [out], .zeros) }
        }
        add("model.embed_tokens.weight", [vocabSize, hiddenSize])
        for layer in 0..<layers {
            let prefix = "model.layers.\(layer)"
            add("\(prefix).input_layernorm.weight", [hiddenSize], .ones)
            addLinear("\(prefix).self_attn.q_proj", heads * headSize, hiddenSize, bias: hasQueryBias)
            addLinear("\(prefix).self_attn.k_proj", keyValueHeads * headSize, hiddenSize, bias: hasQueryBias)
            addLinear("\(prefix).self_attn.v_proj", keyValueHeads * headSize, hiddenSize, bias: hasQueryBias)
            addLinear("\(prefix).self_attn.o_proj", hiddenSize, heads * headSize, bias: hasOutputBias)
            if normalizesHeads {
                add("\(prefix).self_attn.q_norm.weight", [headSize], .ones)
                add("\(prefix).self_attn.k_norm.weight", [headSize], .ones)
            }
            add("\(prefix).post_attention_layernorm.weight", [hiddenSize], .ones)
            addLinear("\(prefix).mlp.gate_proj", intermediateSize, hiddenSize, bias: hasFeedForwardBias)
            addLinear("\(prefix).mlp.up_proj", intermediateSize, hiddenSize, bias: hasFeedForwardBias)
            addLinear("\(prefix).mlp.down_proj", hiddenSize, intermediateSize, bias: hasFeedForwardBias)
        }
        add("model.norm.weight", [hiddenSize], .ones)
        if !isTied { add("lm_head.weight", [vocabSize, hiddenSize]) }
        return result
    }
}
