import CanonicalJSON

/// MistralForCausalLM: the LLaMA architecture with sliding-window attention, and no biases.
///
/// With `sliding_window` w, a query at position q sees the keys at q − w < k ≤ q; null means all. Checkpoint keys and
/// shapes: ``DecoderConfiguration/parameterShapes``.
///
/// - Source: Jiang et al. 2023, "Mistral 7B".
func mistral(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    var configuration = try DecoderConfiguration(common: file)
    configuration.window = try file.read { object in
        try object.optionalInteger("sliding_window")
    }
    return configuration
}
