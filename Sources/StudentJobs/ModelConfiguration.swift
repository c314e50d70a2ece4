import CanonicalJSON

/// The shape of a LLaMA-architecture model, in the terms of Hugging Face's config.json.
public struct ModelConfiguration: Sendable, Equatable {
    public var vocabSize: Int
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Width inside the SwiGLU block.
    public var intermediateSize: Int
    public var hiddenLayers: Int
    public var attentionHeads: Int
    /// Divides ``attentionHeads``; fewer of them is grouped-query attention.
    public var keyValueHeads: Int
    /// Longest sequence in tokens, prompt and completion together.
    public var maxPositions: Int
    public var rmsNormEpsilon: Double
    public var ropeTheta: Double
    /// Whether the output projection is the embedding itself.
    public var tieWordEmbeddings: Bool
    public var bosTokenID: Int?
    public var eosTokenID: Int?

    public init(
        vocabSize: Int, hiddenSize: Int, intermediateSize: Int, hiddenLayers: Int, attentionHeads: Int,
        keyValueHeads: Int, maxPositions: Int, rmsNormEpsilon: Double = 1e-5, ropeTheta: Double = 10_000,
        tieWordEmbeddings: Bool = true, bosTokenID: Int? = nil, eosTokenID: Int? = nil
    ) {
        self.vocabSize = vocabSize
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.hiddenLayers = hiddenLayers
        self.attentionHeads = attentionHeads
        self.keyValueHeads = keyValueHeads
        self.maxPositions = maxPositions
        self.rmsNormEpsilon = rmsNormEpsilon
        self.ropeTheta = ropeTheta
        self.tieWordEmbeddings = tieWordEmbeddings
        self.bosTokenID = bosTokenID
        self.eosTokenID = eosTokenID
    }

    /// Width of one attention head.
    public var headSize: Int { hiddenSize / attentionHeads }

    /// How many numbers the model has: the embedding (twice when untied), and per layer two norms, four attention
    /// and three SwiGLU matrices, and the last norm.
    public var parameterCount: Int {
        let attention = 2 * hiddenSize * hiddenSize + 2 * hiddenSize * keyValueHeads * headSize
        let layer = 2 * hiddenSize + attention + 3 * hiddenSize * intermediateSize
        return vocabSize * hiddenSize * (tieWordEmbeddings ? 1 : 2) + hiddenLayers * layer + hiddenSize
    }

    /// Why no model has this shape, or nil when one can.
    public var fault: String? {
        let sizes = [
            ("vocab_size", vocabSize), ("hidden_size", hiddenSize), ("intermediate_size", intermediateSize),
            ("num_hidden_layers", hiddenLayers), ("num_attention_heads", attentionHeads),
            ("num_key_value_heads", keyValueHeads), ("max_position_embeddings", maxPositions),
        ]
        for (name, size) in sizes {
            guard size > 0 else { return "\(name) is \(size); it must be at least 1" }
            guard size <= 1 << 24 else { return "\(name) is \(size); the largest supported is \(1 << 24)" }
        }
        guard hiddenSize % attentionHeads == 0 else {
            return "hidden_size \(hiddenSize) is no multiple of num_attention_heads \(attentionHeads)"
        }
        guard headSize % 2 == 0 else {
            return "hidden_size / num_attention_heads is \(headSize); rotary embeddings need an even number"
        }
        guard attentionHeads % keyValueHeads == 0 else {
            return "num_attention_heads \(attentionHeads) is no multiple of num_key_value_heads \(keyValueHeads)"
        }
        guard rmsNormEpsilon > 0 else { return "rms_norm_eps is \(rmsNormEpsilon); it must be positive" }
        guard ropeTheta > 0 else { return "rope_theta is \(ropeTheta); it must be positive" }
        return nil
    }

    /// The configuration under config.json's own keys, as transformers reads them.
    public var json: JSON {
        let members: [(String, JSON)] = [
            ("architectures", .array([.string("LlamaForCausalLM")])), ("model_type", .string("llama")),
            ("hidden_act", .string("silu")), ("attention_bias", .bool(false)), ("mlp_bias", .bool(false)),
            ("torch_dtype", .string("float32")), ("vocab_size", .whole(vocabSize)),
            ("hidden_size", .whole(hiddenSize)), ("intermediate_size", .whole(intermediateSize)),
            ("num_hidden_layers", .whole(hiddenLayers)), ("num_attention_heads", .whole(attentionHeads)),
            ("num_key_value_heads", .whole(keyValueHeads)), ("max_position_embeddings", .whole(maxPositions)),
            ("rms_norm_eps", .number(rmsNormEpsilon)), ("rope_theta", .number(ropeTheta)),
            ("tie_word_embeddings", .bool(tieWordEmbeddings)), ("bos_token_id", .optional(bosTokenID)),
            ("eos_token_id", .optional(eosTokenID)),
        ]
        return .object(JSONObject(members))
    }

    /// Reads the keys ``json`` writes; keys it does not know are left alone.
    ///
    /// - Throws: `JSONFieldError` for a key that is missing, of the wrong kind, or impossible.
    public init(json: JSONObject) throws(JSONFieldError) {
        let heads = try json.integer("num_attention_heads")
        self.init(
            vocabSize: try json.integer("vocab_size"), hiddenSize: try json.integer("hidden_size"),
            intermediateSize: try json.integer("intermediate_size"),
            hiddenLayers: try json.integer("num_hidden_layers"),
            attentionHeads: heads,
            keyValueHeads: try json.optionalInteger("num_key_value_heads") ?? heads,
            maxPositions: try json.integer("max_position_embeddings"),
            rmsNormEpsilon: try json.optionalDouble("rms_norm_eps") ?? 1e-6,
            ropeTheta: try json.optionalDouble("rope_theta") ?? 10_000,
            tieWordEmbeddings: try json.optionalBool("tie_word_embeddings") ?? false,
            bosTokenID: try json.optionalInteger("bos_token_id"), eosTokenID: try json.optionalInteger("eos_token_id"))
        if let fault { throw JSONFieldError(field: "config", problem: fault) }
    }
}
