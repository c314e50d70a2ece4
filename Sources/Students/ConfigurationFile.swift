import CanonicalJSON
import StudentJobs

/// A checkpoint's config.json; its errors name the file and the option.
struct ConfigurationFile {
    let path: String
    let object: JSONObject

    init(path: String, object: JSONObject) {
        self.path = path
        self.object = object
    }

    init(directory: String) throws { try self.init(path: "\(directory)/config.json") }

    init(path: String) throws {
        self.path = path
        do {
            let json = try JSON.parse(FileSystem.read(path))
            guard let object = json.object else { throw StudentError(path, "should be an object, found \(json.kind)") }
            self.object = object
        } catch let error as JSONSyntaxError {
            throw StudentError("\(path):\(error.line):\(error.column)", error.message)
        }
    }

    /// Reads with the field's error turned into one that names the file.
    func read<Value>(_ body: (JSONObject) throws -> Value) throws -> Value {
        do { return try body(object) } catch let error as JSONFieldError { throw StudentError(path, "\(error)") }
    }

    /// Throws unless an option is absent, null or has the one supported value.
    func require(_ key: String, _ supported: JSON) throws {
        guard let value = object[key], !value.isNull, value != supported else { return }
        throw StudentError(
            path, "option \"\(key)\" is \(value.canonicalText); only \(supported.canonicalText) is supported")
    }

    /// Throws when an option is there and not null, false, zero or empty.
    func refuse(_ key: String) throws {
        guard let value = object[key], !value.isNull, value != false, value.double != 0, value.array != [],
            value.object?.isEmpty != true
        else { return }
        throw StudentError(path, "option \"\(key)\" is \(value.canonicalText), which is not supported")
    }
}

extension DecoderConfiguration {
    /// Reads any supported family.
    ///
    /// - Throws: ``StudentError`` naming the file and the option that is missing, impossible or not supported.
    init(_ file: ConfigurationFile) throws {
        let family = try file.read { object in try object.string("model_type") }
        switch family {
        case "llama": self = try llama(file)
        case "mistral": self = try mistral(file)
        case "qwen2": self = try qwen2(file)
        case "qwen3": self = try qwen3(file)
        default:
            throw StudentError(
                file.path,
                "option \"model_type\" is \"\(family)\"; supported are llama, mistral, qwen2 and qwen3")
        }
        if let fault { throw StudentError(file.path, fault) }
    }

    /// What all families share.
    init(common file: ConfigurationFile) throws {
        try file.require("hidden_act", "silu")
        for key in [
            "quantization_config", "rope_interleaved", "final_logit_softcapping", "attn_logit_softcapping",
            "num_local_experts", "num_experts", "partial_rotary_factor", "embedding_multiplier", "residual_multiplier",
            "logits_scaling", "attention_dropout",
        ] { try file.refuse(key) }
        try file.require("pretraining_tp", 1)
        self = try file.read { object in
            let heads = try object.integer("num_attention_heads")
            let hidden = try object.integer("hidden_size")
            var result = DecoderConfiguration(
                vocabSize: try object.integer("vocab_size"), hiddenSize: hidden, intermediateSize: 0, layers: 0,
                heads: heads, keyValueHeads: heads, headSize: hidden / max(1, heads), maxPositions: 0, epsilon: 1e-6,
                rotary: RotarySettings(theta: 10_000), isTied: false, endTokens: try object.endTokens())
            result.intermediateSize = try object.integer("intermediate_size")
            result.layers = try object.integer("num_hidden_layers")
            result.maxPositions = try object.integer("max_position_embeddings")
            if let count = try object.optionalInteger("num_key_value_heads") { result.keyValueHeads = count }
            if let size = try object.optionalInteger("head_dim") { result.headSize = size }
            if let epsilon = try object.optionalDouble("rms_norm_eps") { result.epsilon = epsilon }
            if let isTied = try object.optionalBool("tie_word_embeddings") { result.isTied = isTied }
            if let range = try object.optionalDouble("initializer_range") { result.initializerRange = range }
            return result
        }
        rotary = try RotarySettings(file)
    }

    /// Why no model has this configuration, or nil.
    var fault: String? {
        let sizes = [
            ("vocab_size", vocabSize), ("hidden_size", hiddenSize), ("intermediate_size", intermediateSize),
            ("num_hidden_layers", layers), ("num_attention_heads", heads), ("num_key_value_heads", keyValueHeads),
            ("max_position_embeddings", maxPositions), ("head_dim", headSize), ("sliding_window", window ?? 1),
        ]
        for (name, size) in sizes {
            let most = name == "num_hidden_layers" ? 1 << 12 : 1 << 24
            guard 1...most ~= size else {
                return "option \"\(name)\" is \(size); it must lie between 1 and \(most)"
            }
        }
        if headSize % 2 != 0 { return "option \"head_dim\" is \(headSize); rotary embeddings need an even number" }
        if heads % keyValueHeads != 0 {
            return "option \"num_attention_heads\" is \(heads), no multiple of num_key_value_heads \(keyValueHeads)"
        }
        if !(epsilon > 0) { return "option \"rms_norm_eps\" is \(epsilon); it must be positive" }
        return nil
    }
}

extension JSONObject {
    /// `eos_token_id`: a number, a list, or nothing.
    fileprivate func endTokens() throws(JSONFieldError) -> [Int] {
        switch self["eos_token_id"] {
        case nil, .null?: return []
        case .array(let list)?:
            var tokens: [Int] = []
            for element in list {
                guard let token = element.integer else {
                    throw JSONFieldError(field: "eos_token_id", problem: "should hold integers, found \(element.kind)")
                }
                tokens.append(token)
            }
            return tokens
        default: return [try integer("eos_token_id")]
        }
    }
}

extension RotarySettings {
    /// From `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (transformers 4).
    init(_ file: ConfigurationFile) throws {
        let parameters = file.object["rope_parameters"] ?? file.object["rope_scaling"] ?? .null
        let theta = parameters["rope_theta"]?.double ?? file.object["rope_theta"]?.double ?? 10_000
        guard theta > 0 else { throw StudentError(file.path, "option \"rope_theta\" is \(theta); it must be positive") }
        self.init(theta: theta)
        guard theta.isFinite else { throw StudentError(file.path, "option \"rope_theta\" is not finite") }
        guard let object = parameters.object else { return }
        let kind = (object["rope_type"] ?? object["type"])?.string ?? "default"
        do throws(JSONFieldError) {
            switch kind {
            case "default": break
            case "linear": scaling = .linear(factor: try object.double("factor"))
            case "llama3":
                scaling = .llama3(
                    factor: try object.double("factor"), lowFactor: try object.double("low_freq_factor"),
                    highFactor: try object.double("high_freq_factor"),
                    originalPositions: try object.integer("original_max_position_embeddings"))
            default:
                throw JSONFieldError(
                    field: "rope_type", problem: "is \"\(kind)\"; supported are default, linear and llama3")
            }
        } catch {
            throw StudentError(file.path, "\(error)")
        }
        if let fault = scaling.fault { throw StudentError(file.path, fault) }
    }
}

extension RotarySettings.Scaling {
    /// Why no model scales so, or nil.
    fileprivate var fault: String? {
        switch self {
        case .none: return nil
        case .linear(let factor): return Self.fault("factor", factor)
        case .llama3(let factor, let low, let high, let positions):
            if let fault = Self.fault("factor", factor) ?? Self.fault("low_freq_factor", low) { return fault }
            if !(high > low && high.isFinite) {
                return "option \"high_freq_factor\" is \(high); it must lie above low_freq_factor \(low)"
            }
            return positions >= 1
                ? nil : "option \"original_max_position_embeddings\" is \(positions); it must be at least 1"
        }
    }

    private static func fault(_ name: String, _ value: Double) -> String? {
        value > 0 && value.isFinite ? nil : "option \"\(name)\" is \(value); it must be positive"
    }
}
