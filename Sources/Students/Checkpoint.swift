import CanonicalJSON
import Safetensors
import Tensors

/// A Hugging Face checkpoint directory: config.json, model.safetensors (or its shards), tokenizer files.
public struct Checkpoint {
    public let directory: String
    public let configuration: DecoderConfiguration
    /// config.json as it was read, options this engine does not know included.
    public let configurationJSON: JSONObject
    /// The files the tensors lie in.
    let archives: [SafetensorsArchive]

    /// Opens a checkpoint and checks that it has exactly the tensors its configuration asks for. Reads no weights.
    ///
    /// - Throws: ``StudentError`` or `SafetensorsError` naming the file and the option or tensor.
    public init(directory: String) throws {
        self.directory = directory
        guard FileSystem.isDirectory(directory) else {
            throw StudentError(directory, "is no directory; a checkpoint is a directory with config.json")
        }
        let file = try ConfigurationFile(directory: directory)
        configurationJSON = file.object
        configuration = try DecoderConfiguration(file)
        archives = try Self.archives(directory)
        try checkTensors()
    }

    private static func archives(_ directory: String) throws -> [SafetensorsArchive] {
        let single = "\(directory)/model.safetensors"
        if FileSystem.isFile(single) { return [try SafetensorsArchive(mapping: single)] }
        let index = "\(single).index.json"
        guard FileSystem.isFile(index) else {
            try refusePickles(in: directory)
            throw StudentError(directory, "has no model.safetensors")
        }
        do {
            let map = try JSON.parse(FileSystem.read(index)).object?.object("weight_map")
            let files = try (map ?? JSONObject()).members.map { member in
                guard let name = member.value.string, !name.utf8.contains(UInt8(ascii: "/")) else {
                    throw JSONFieldError(field: member.key, problem: "should name a file of the directory")
                }
                return name
            }
            return try Set(files).sorted { compareUTF8($0, $1) < 0 }
                .map { try SafetensorsArchive(mapping: "\(directory)/\($0)") }
        } catch let error as JSONFieldError {
            throw StudentError(index, "\(error)")
        } catch let error as JSONSyntaxError {
            throw StudentError("\(index):\(error.line):\(error.column)", error.message)
        }
    }

    /// Throws when a directory holds weights as a pickle file.
    static func refusePickles(in directory: String) throws {
        let names = try FileSystem.list(directory)
        if let pickle = names.first(where: { name in
            [".bin", ".pt", ".pth", ".pkl", ".ckpt"].contains { name.hasSuffix($0) }
        }) {
            throw StudentError(
                "\(directory)/\(pickle)",
                "is a pickle file, which can run any code when opened; convert the checkpoint to safetensors")
        }
    }

    /// What tells this checkpoint's weights from others of the same shape.
    var fingerprint: BaseFingerprint { BaseFingerprint(archives) }

    private func checkTensors() throws {
        let wanted = configuration.parameterShapes
        for shape in wanted {
            let (archive, entry) = try find(shape.name)
            guard entry.shape == shape.shape else {
                throw SafetensorsError(
                    source: archive.source, tensor: shape.name,
                    problem: "has the shape \(entry.shape), config.json asks for \(shape.shape)")
            }
            guard Tensor.Element(entry.type) != nil else {
                throw SafetensorsError(
                    source: archive.source, tensor: shape.name,
                    problem: "is \(entry.type.rawValue); supported are F32, BF16, F16 and F64")
            }
        }
        let names = Set(wanted.map { Array($0.name.utf8) })
        for archive in archives {
            for name in archive.names where !names.contains(Array(name.utf8)) && !isIgnored(name) {
                throw SafetensorsError(
                    source: archive.source, tensor: name, problem: "is not part of the model config.json describes")
            }
        }
    }

    /// Tensors some checkpoints carry that are not parameters: tables of angles, and the output layer of a tied model.
    private func isIgnored(_ name: String) -> Bool {
        name.hasSuffix(".rotary_emb.inv_freq") || (configuration.isTied && name == "lm_head.weight")
    }

    /// Where a tensor lies.
    func find(_ name: String) throws -> (SafetensorsArchive, TensorEntry) {
        for archive in archives {
            if let entry = archive.header.entry(name) { return (archive, entry) }
        }
        throw SafetensorsError(source: archives.first?.source ?? directory, tensor: name, problem: "is missing")
    }

    /// The model, with its weights in `type`.
    ///
    /// - Parameters:
    ///   - positions: the longest sequence there will be; nil for the model's own limit.
    ///   - activation: what layers compute in; nil for `type`.
    ///   - matrices: the type of matrices and embeddings, where another than that of norms and biases; for models
    ///     that are not trained, so that nothing is converted again and again.
    ///   - adapter: low-rank updates to put on the model's linear maps.
    /// - Throws: `TensorError` when memory runs out.
    public func model(
        type: Tensor.Element = .float32, positions: Int? = nil, activation: Tensor.Element? = nil,
        matrices: Tensor.Element? = nil, adapter: Adapter? = nil
    ) throws -> Decoder {
        let parameters = try configuration.parameterShapes.map { shape in
            let (archive, entry) = try find(shape.name)
            let stored = try archive.withBytes(of: entry) {
                try Tensor(bytes: $0, type: Tensor.Element(entry.type)!, shape: entry.shape)
            }
            let wanted = entry.shape.count == 2 ? matrices ?? type : type
            return Parameter(name: shape.name, tensor: try stored.converted(to: wanted))
        }
        return try Decoder(
            configuration, parameters: parameters, adapter: adapter,
            positions: positions ?? configuration.maxPositions, activation: activation ?? type)
    }
}

extension Tensor.Element {
    init?(_ type: ElementType) {
        switch type {
        case .float32: self = .float32
        case .float64: self = .float64
        case .bfloat16: self = .bfloat16
        case .float16: self = .float16
        default: return nil
        }
    }

    var safetensorsType: ElementType {
        switch self {
        case .float32: .float32
        case .float64: .float64
        case .bfloat16: .bfloat16
        case .float16: .float16
        }
    }
}
