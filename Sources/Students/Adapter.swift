import StudentJobs
import Tensors

/// Low-rank updates of a decoder's linear maps: what LoRA trains while the decoder itself stays as it is.
///
/// Two parameters for each target map of each layer, under PEFT's names:
///
///     base_model.model.model.layers.N.self_attn.q_proj.lora_A.weight     [rank, in]
///     base_model.model.model.layers.N.self_attn.q_proj.lora_B.weight     [out, rank]
///
/// and likewise k_proj, v_proj, o_proj and mlp.{gate,up,down}_proj.
///
/// - Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models"; PEFT's `LoraModel`.
public final class Adapter {
    public let settings: LoRASettings
    /// All A and B, in the order of the model.
    public let parameters: [Parameter]
    private let updates: [String: LowRank]

    /// - Parameter parameters: those of ``shapes(_:for:)``, in that order.
    init(_ settings: LoRASettings, parameters: [Parameter], scale: Double? = nil) {
        self.settings = settings
        self.parameters = parameters
        var updates: [String: LowRank] = [:]
        for index in stride(from: 0, to: parameters.count, by: 2) {
            let (down, up) = (parameters[index], parameters[index + 1])
            updates[Self.map(down.name)] = LowRank(
                down: down.tensor, up: up.tensor, scale: scale ?? settings.scale)
        }
        self.updates = updates
    }

    /// The update of a linear map by its checkpoint key without `.weight`, or nil.
    func update(of map: String) -> LowRank? { updates[map] }

    /// What LoRA begins with: A uniform in ±1/√in from a seeded stream of its own, B zero.
    public static func new(
        _ settings: LoRASettings, for configuration: DecoderConfiguration, seed: UInt64,
        type: Tensor.Element = .float32
    ) throws -> Adapter {
        let parameters = try shapes(settings, for: configuration).map { shape in
            let count = shape.shape.reduce(1, *)
            var values = [Float](repeating: 0, count: count)
            if shape.name.hasSuffix(downSuffix) {
                var stream = RandomStream(seed: seed, path: RandomStream.path(shape.name))
                let bound = 1 / Double(shape.shape[1]).squareRoot()
                for index in values.indices { values[index] = Float((2 * stream.uniform() - 1) * bound) }
            }
            return Parameter(name: shape.name, tensor: try Tensor(values, shape: shape.shape).converted(to: type))
        }
        return Adapter(settings, parameters: parameters)
    }

    static let prefix = "base_model.model."
    static let downSuffix = ".lora_A.weight"
    static let upSuffix = ".lora_B.weight"

    /// `model.layers.0.self_attn.q_proj` of `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`.
    private static func map(_ name: String) -> String {
        String(name.dropFirst(prefix.count).dropLast(downSuffix.count))
    }

    /// The parameters of an adapter, A then B of each map, in the order of the model. Ranks may differ by map.
    static func shapes(
        _ settings: LoRASettings, for configuration: DecoderConfiguration, layers: Set<Int>? = nil
    ) -> [(name: String, shape: [Int])] {
        let targets = Set(settings.targets)
        return configuration.linearMaps.filter { map in
            targets.contains(map.name) && layers?.contains(map.layer) ?? true
        }.flatMap { map in
            [
                ("\(prefix)\(map.key)\(downSuffix)", [settings.rank, map.input]),
                ("\(prefix)\(map.key)\(upSuffix)", [map.output, settings.rank]),
            ]
        }
    }
}

/// A linear map of a layer that LoRA can update.
struct LinearMap: Equatable {
    let layer: Int
    /// Such as `q_proj`.
    let name: String
    /// Such as `model.layers.0.self_attn.q_proj`.
    let key: String
    let output: Int
    let input: Int
}

extension DecoderConfiguration {
    /// The linear maps of all layers, in the order of the model.
    var linearMaps: [LinearMap] {
        (0..<layers).flatMap { layer in
            [
                ("self_attn", "q_proj", heads * headSize, hiddenSize),
                ("self_attn", "k_proj", keyValueHeads * headSize, hiddenSize),
                ("self_attn", "v_proj", keyValueHeads * headSize, hiddenSize),
                ("self_attn", "o_proj", hiddenSize, heads * headSize),
                ("mlp", "gate_proj", intermediateSize, hiddenSize),
                ("mlp", "up_proj", intermediateSize, hiddenSize),
                ("mlp", "down_proj", hiddenSize, intermediateSize),
            ].map { block, name, output, input in
                LinearMap(
                    layer: layer, name: name, key: "model.layers.\(layer).\(block).\(name)", output: output,
                    input: input)
            }
        }
    }
}
