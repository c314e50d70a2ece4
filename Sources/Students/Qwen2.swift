import CanonicalJSON

/// Qwen2ForCausalLM: the LLaMA architecture with biases on q, k and v only.
///
/// Sliding-window attention in part of the layers (`use_sliding_window`) is not supported. Checkpoint keys and shapes:
/// ``DecoderConfiguration/parameterShapes``.
///
/// - Source: Yang et al. 2024, "Qwen2 Technical Report".
func qwen2(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    var configuration = try DecoderConfiguration(common: file)
    try file.refuse("use_sliding_window")
    configuration.hasQueryBias = true
    return configuration
}
