import CanonicalJSON
import Safetensors
import Tensors

extension Checkpoint {
    /// Files that make up a tokenizer; those there are go into a checkpoint.
    static let tokenizerFiles = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "chat_template.jinja", "vocab.json", "merges.txt", "tokenizer.model",
    ]

    static func copyTokenizer(from tokenizer: String?, to folder: String) throws {
        guard let tokenizer else { return }
        for name in companionFiles where FileSystem.isFile("\(tokenizer)/\(name)") {
            try AtomicFile.replace("\(folder)/\(name)", with: FileSystem.read("\(tokenizer)/\(name)"))
        }
    }

    /// Writes a checkpoint directory that transformers loads; it appears complete or not at all.
    ///
    /// - Parameters:
    ///   - model: without an adapter; see ``Decoder/merged()``.
    ///   - configuration: config.json; its `torch_dtype` is set to what is written.
    ///   - tokenizer: a directory to take tokenizer files from.
    /// - Throws: ``StudentError`` or `SafetensorsError`, for instance when the directory exists and is not empty, or
    ///   on a full disk.
    public static func write(
        _ model: Decoder, configuration: JSONObject, tokenizer: String?, to directory: String
    ) throws {
        precondition(model.adapter == nil, "an adapter is merged or written by itself")
        try FileSystem.createDirectory(directory) { folder in
            try TensorFile.write(model.parameters, to: "\(folder)/model.safetensors")
            var object = configuration
            let key = object["dtype"] == nil ? "torch_dtype" : "dtype"
            object[key] = .string("\(model.parameters[0].tensor.type)")
            try AtomicFile.replace(
                "\(folder)/config.json", with: JSON.object(object).canonicalBytes + [UInt8(ascii: "\n")])
            try copyTokenizer(from: tokenizer, to: folder)
        }
    }
}
