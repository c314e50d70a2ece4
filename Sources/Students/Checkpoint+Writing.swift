import CanonicalJSON
import Safetensors
import Tensors

extension Checkpoint {
    /// Files that make up a tokenizer; those there are go into a checkpoint.
    static let tokenizerFiles = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "chat_template.jinja", "vocab.json", "merges.txt", "tokenizer.model",
    ]

    /// Writes a checkpoint directory that transformers loads; it appears complete or not at all.
    ///
    /// - Parameters:
    ///   - configuration: config.json; its `torch_dtype` is set to what is written.
    ///   - tokenizer: a directory to take tokenizer files from.
    /// - Throws: ``StudentError`` or `SafetensorsError`, for instance when the directory exists and is not empty, or
    ///   on a full disk.
    static func write(
        _ model: Decoder, configuration: JSONObject, tokenizer: String?, to directory: String
    ) throws {
        try FileSystem.createDirectory(directory) { folder in
            let shapes = model.parameters.map {
                (name: $0.name, type: $0.tensor.type.safetensorsType, shape: $0.tensor.shape)
            }
            let layout = try SafetensorsLayout(shapes, metadata: [("format", "pt")], source: directory)
            let tensors = Dictionary(
                model.parameters.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
            try SafetensorsArchive.write(layout, to: "\(folder)/model.safetensors") { entry, emit in
                try tensors[entry.name]!.withBytes(emit)
            }
            var object = configuration
            let type = model.parameters[0].tensor.type
            let key = object["dtype"] == nil ? "torch_dtype" : "dtype"
            object[key] = .string("\(type)")
            try AtomicFile.replace(
                "\(folder)/config.json", with: JSON.object(object).canonicalBytes + [UInt8(ascii: "\n")])
            guard let tokenizer else { return }
            for name in tokenizerFiles where FileSystem.isFile("\(tokenizer)/\(name)") {
                try AtomicFile.replace("\(folder)/\(name)", with: FileSystem.read("\(tokenizer)/\(name)"))
            }
        }
    }
}
