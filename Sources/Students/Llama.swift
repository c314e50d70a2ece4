import CanonicalJSON

/// LlamaForCausalLM: LLaMA, Llama 2 and 3, TinyLlama, CodeLlama, SmolLM2.
///
/// RMSNorm before attention and before SwiGLU, rotary embeddings (Llama 3.1 scales their frequencies), grouped-query
/// attention with `num_key_value_heads`; `attention_bias` puts biases on q, k, v and o, `mlp_bias` on gate, up and
/// down. Checkpoint keys and shapes: ``DecoderConfiguration/parameterShapes``.
///
/// - Source: Touvron et al. 2023, "LLaMA"; Dubey et al. 2024, "The Llama 3 Herd of Models".
func llama(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    var configuration = try DecoderConfiguration(common: file)
    try file.read { object in
        let attentionBias = try object.optionalBool("attention_bias") ?? false
        configuration.hasQueryBias = attentionBias
        configuration.hasOutputBias = attentionBias
        configuration.hasFeedForwardBias = try object.optionalBool("mlp_bias") ?? false
    }
    return configuration
}
