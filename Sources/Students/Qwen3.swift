import CanonicalJSON

/// Qwen3ForCausalLM: the LLaMA architecture with an RMSNorm on each head of q and k before rotation, a head width of
/// its own (`head_dim`), and no biases unless `attention_bias`.
///
/// Sliding-window attention in part of the layers (`use_sliding_window`) is not supported. Checkpoint keys and shapes:
/// ``DecoderConfiguration/parameterShapes``.
///
/// - Source: Yang et al. 2025, "Qwen3 Technical Report".
func qwen3(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    var configuration = try DecoderConfiguration(common: file)
    try file.refuse("use_sliding_window")
    try file.read { object in
        let attentionBias = try object.optionalBool("attention_bias") ?? false
        configuration.hasQueryBias = attentionBias
        configuration.hasOutputBias = attentionBias
    }
    configuration.normalizesHeads = true
    return configuration
}
