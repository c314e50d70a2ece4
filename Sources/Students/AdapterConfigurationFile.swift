import CanonicalJSON
import StudentJobs

/// PEFT's adapter_config.json; its errors name the file and the option.
///
/// Options that change what an adapter computes and are not supported are refused; others are left alone. Source:
/// PEFT's `LoraConfig`.
struct AdapterConfigurationFile {
    let file: ConfigurationFile
    var settings: LoRASettings
    /// What updates are multiplied by: alpha / rank, or alpha / √rank with `use_rslora`.
    let scale: Double
    /// The layers that have updates; nil for all.
    let layers: Set<Int>?
    /// Which checkpoint the adapter was trained on, where it says so.
    let base: BaseFingerprint?

    init(directory: String) throws {
        file = try ConfigurationFile(path: "\(directory)/adapter_config.json")
        let path = file.path
        let kind = try file.read { object in try object.string("peft_type") }
        guard kind == "LORA" else {
            throw StudentError(path, "option \"peft_type\" is \"\(kind)\"; only \"LORA\" is supported")
        }
        try file.require("bias", "none")
        for key in [
            "fan_in_fan_out", "use_dora", "use_qalora", "use_bdlora", "lora_bias", "rank_pattern", "alpha_pattern",
            "modules_to_save", "layer_replication", "target_parameters", "trainable_token_indices", "arrow_config",
            "alora_invocation_tokens", "exclude_modules", "megatron_config", "monteclora_config", "velora_config",
        ] { try file.refuse(key) }
        if let initial = file.object["init_lora_weights"]?.string,
            ["pissa", "olora", "corda"].contains(where: { initial.hasPrefix($0) })
        {
            throw StudentError(
                path,
                "option \"init_lora_weights\" is \"\(initial)\", which changes the base model too and is not "
                    + "supported; let PEFT convert the adapter to plain LoRA when it saves it")
        }
        let rank = try file.read { object in try object.integer("r") }
        guard 1...65_536 ~= rank else { throw StudentError(path, "option \"r\" is \(rank); it must be at least 1") }
        let alpha = try file.read { object in try object.optionalDouble("lora_alpha") } ?? 8
        let dropout = try file.read { object in try object.optionalDouble("lora_dropout") } ?? 0
        guard 0..<1 ~= dropout else {
            throw StudentError(path, "option \"lora_dropout\" is \(dropout); it must lie in [0, 1)")
        }
        let scalesByRoot = try file.read { object in try object.optionalBool("use_rslora") } ?? false
        scale = scalesByRoot ? alpha / Double(rank).squareRoot() : alpha / Double(rank)
        settings = LoRASettings(rank: rank, alpha: alpha, dropout: dropout, targets: try Self.targets(file))
        layers = try Self.layers(file)
        base = try file.read { object in try BaseFingerprint(object) }
    }

    /// `target_modules`: a list in any order, or one of the words for all maps. Ordered as the model has them.
    private static func targets(_ file: ConfigurationFile) throws -> [String] {
        let known = LoRASettings.allTargets
        switch file.object["target_modules"] {
        case .string("all-linear")?: return known
        case .array(let list)?:
            var names: Set<String> = []
            for element in list {
                let name = element.string.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
                guard let name, known.contains(name) else {
                    throw StudentError(
                        file.path,
                        "option \"target_modules\" has \(element.canonicalText); supported are "
                            + known.joined(separator: ", "))
                }
                names.insert(name)
            }
            guard !names.isEmpty else { throw StudentError(file.path, "option \"target_modules\" is empty") }
            return known.filter(names.contains)
        case let other:
            throw StudentError(
                file.path,
                "option \"target_modules\" is \(other?.canonicalText ?? "missing"); supported are a list of names and "
                    + "\"all-linear\"")
        }
    }

    private static func layers(_ file: ConfigurationFile) throws -> Set<Int>? {
        switch file.object["layers_to_transform"] {
        case nil, .null?: return nil
        case .integer(let layer)?: return [Int(layer)]
        case .array(let list)?: return Set(list.compactMap(\.integer))
        case let other?:
            throw StudentError(
                file.path, "option \"layers_to_transform\" is \(other.canonicalText); it should be a list of layers")
        }
    }
}

extension LoRASettings {
    /// The settings as PEFT writes them.
    func peftConfiguration(baseName: String?, base: BaseFingerprint?) -> JSONObject {
        var object = JSONObject([
            ("peft_type", "LORA"), ("task_type", "CAUSAL_LM"), ("r", .integer(Int64(rank))),
            ("lora_alpha", .number(alpha)), ("lora_dropout", .number(dropout)), ("bias", "none"),
            ("target_modules", .array(targets.map { .string($0) })), ("fan_in_fan_out", false),
            ("inference_mode", true), ("init_lora_weights", true), ("use_rslora", false), ("use_dora", false),
            ("base_model_name_or_path", baseName.map { .string($0) } ?? .null),
        ])
        // PEFT leaves keys it does not know alone.
        object["retort_base"] = base?.json
        return object
    }
}
