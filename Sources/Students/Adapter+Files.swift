import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors

extension Adapter {
    /// Reads an adapter in PEFT's format, adapter_config.json and adapter_model.safetensors, for a checkpoint.
    ///
    /// - Throws: ``StudentError`` or `SafetensorsError` naming the file and the option or tensor: an option that is not
    ///   supported, a pickle file, tensors that are missing, surplus or of the wrong shape, an adapter of another base.
    public convenience init(
        directory: String, for checkpoint: Checkpoint, type: Tensor.Element = .float32
    ) throws {
        try self.init(
            directory: directory, configuration: checkpoint.configuration, base: checkpoint.fingerprint, type: type)
    }

    convenience init(
        directory: String, configuration: DecoderConfiguration, base: BaseFingerprint?, type: Tensor.Element = .float32
    ) throws {
        guard FileSystem.isDirectory(directory) else {
            throw StudentError(directory, "is no directory; an adapter is a directory with adapter_config.json")
        }
        let file = try AdapterConfigurationFile(directory: directory)
        if let base, let own = file.base, own.differs(from: base) {
            throw StudentError(
                directory, "is an adapter for another base: its weights were trained on a checkpoint with other values")
        }
        let archive = try Self.archive(directory)
        let shapes = Self.shapes(file.settings, for: configuration, layers: file.layers)
        try Self.check(archive, against: shapes)
        let parameters = try shapes.map { shape in
            let entry = try archive.entry(shape.name)
            let stored = try archive.withBytes(of: entry) {
                try Tensor(bytes: $0, type: Tensor.Element(entry.type)!, shape: entry.shape)
            }
            return Parameter(name: shape.name, tensor: try stored.converted(to: type))
        }
        self.init(file.settings, parameters: parameters, scale: file.scale)
    }

    private static func archive(_ directory: String) throws -> SafetensorsArchive {
        let path = "\(directory)/adapter_model.safetensors"
        guard FileSystem.isFile(path) else {
            try Checkpoint.refusePickles(in: directory)
            throw StudentError(directory, "has no adapter_model.safetensors")
        }
        return try SafetensorsArchive(mapping: path)
    }

    private static func check(_ archive: SafetensorsArchive, against shapes: [(name: String, shape: [Int])]) throws {
        func fault(_ name: String, _ problem: String) -> SafetensorsError {
            SafetensorsError(source: archive.source, tensor: name, problem: problem)
        }
        for shape in shapes {
            let entry = try archive.entry(shape.name)
            guard entry.shape == shape.shape else {
                throw fault(
                    shape.name,
                    "has the shape \(entry.shape), the base model asks for \(shape.shape): this is an adapter for "
                        + "another base")
            }
            guard Tensor.Element(entry.type) != nil else {
                throw fault(shape.name, "is \(entry.type.rawValue); supported are F32, BF16, F16 and F64")
            }
        }
        let names = Set(shapes.map { Array($0.name.utf8) })
        if let surplus = archive.names.first(where: { !names.contains(Array($0.utf8)) }) {
            throw fault(
                surplus,
                "is no update of a map that adapter_config.json names and the base model has; is this an adapter for "
                    + "another base?")
        }
    }

    /// Writes adapter_config.json and adapter_model.safetensors as PEFT reads them, and the tokenizer files beside
    /// them; the directory appears complete or not at all.
    ///
    /// - Parameters:
    ///   - baseName: what PEFT calls `base_model_name_or_path`; a name rather than a path of this machine.
    ///   - base: the checkpoint it was trained on, so that another is refused.
    ///   - tokenizer: a directory to take tokenizer files from.
    /// - Throws: ``StudentError`` or `SafetensorsError`, for instance when the directory exists and is not empty, or
    ///   on a full disk.
    public func write(
        to directory: String, base: Checkpoint?, baseName: String? = nil, tokenizer: String? = nil
    ) throws {
        try FileSystem.createDirectory(directory) { folder in
            try TensorFile.write(parameters, to: "\(folder)/adapter_model.safetensors")
            let object = settings.peftConfiguration(baseName: baseName, base: base?.fingerprint)
            try AtomicFile.replace(
                "\(folder)/adapter_config.json", with: JSON.object(object).canonicalBytes + [UInt8(ascii: "\n")])
            try Checkpoint.copyTokenizer(from: tokenizer, to: folder)
        }
    }
}

/// Parameters as a safetensors file.
enum TensorFile {
    static func write(_ parameters: [Parameter], to path: String) throws {
        let layout = try SafetensorsLayout(
            parameters.map { (name: $0.name, type: $0.tensor.type.safetensorsType, shape: $0.tensor.shape) },
            metadata: [("format", "pt")], source: path)
        let tensors = Dictionary(parameters.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        try SafetensorsArchive.write(layout, to: path) { entry, emit in
            try tensors[entry.name]!.withBytes(emit)
        }
    }
}
