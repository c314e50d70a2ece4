import CanonicalJSON
import Safetensors
import Tensors

extension Checkpoint {
    /// Files that make up a tokenizer and how to generate with it; those there are go into a checkpoint.
    static let tokenizerFiles = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "chat_template.jinja", "vocab.json", "merges.txt", "tokenizer.model", "generation_config.json",
    ]

    static func copyTokenizer(from tokenizer: String?, to folder: String) throws {
        guard let tokenizer else { return }
        for name in tokenizerFiles where FileSystem.isFile("\(tokenizer)/\(name)") {
            try AtomicFile.replace("\(folder)/\(name)", with: FileSystem.read("\(tokenizer)/\(name)"))
        }
    }

    /// Writes a checkpoint directory that transformers loads; it appears complete or not at all.
    ///
    /// - Parameters:
    ///   - model: without an adapter; see ``Decoder/merged()``.
    ///   - configuration: config.json; its `torch_dtype` is set to what is written.
    ///   - tokenizer: a directory to take tokenizer files from.
    ///   - type: what to store; nil for what the parameters are.
    ///   - shardBytes: the size in bytes at which a new file of weights begins, with an index over them; nil for one
    ///     file.
    /// - Throws: ``StudentError`` or `SafetensorsError`, for instance when the directory exists and is not empty, or
    ///   on a full disk.
    public static func write(
        _ model: Decoder, configuration: JSONObject, tokenizer: String?, type: Tensor.Element? = nil,
        shardBytes: Int? = nil, to directory: String
    ) throws {
        precondition(model.adapter == nil, "an adapter is merged or written by itself")
        try FileSystem.createDirectory(directory) { folder in
            try writeWeights(model.parameters, type: type, shardBytes: shardBytes, to: folder)
            var object = configuration
            let key = object["dtype"] == nil ? "torch_dtype" : "dtype"
            object[key] = .string("\(type ?? model.parameters[0].tensor.type)")
            try AtomicFile.replace(
                "\(folder)/config.json", with: JSON.object(object).canonicalBytes + [UInt8(ascii: "\n")])
            try copyTokenizer(from: tokenizer, to: folder)
        }
    }

    private static func writeWeights(
        _ parameters: [Parameter], type: Tensor.Element?, shardBytes: Int?, to folder: String
    ) throws {
        func bytes(_ parameter: Parameter) -> Int {
            parameter.tensor.count * (type ?? parameter.tensor.type).byteCount
        }
        var shards: [ArraySlice<Parameter>] = []
        var start = 0
        var size = 0
        for (index, parameter) in parameters.enumerated() {
            if index > start, size + bytes(parameter) > shardBytes ?? .max {
                shards.append(parameters[start..<index])
                (start, size) = (index, 0)
            }
            size += bytes(parameter)
        }
        shards.append(parameters[start...])
        guard shards.count > 1 else {
            return try TensorFile.write(parameters, type: type, to: "\(folder)/model.safetensors")
        }
        var map = JSONObject()
        for (index, shard) in shards.enumerated() {
            let name = "model-\(padded(index + 1))-of-\(padded(shards.count)).safetensors"
            try TensorFile.write(Array(shard), type: type, to: "\(folder)/\(name)")
            for parameter in shard { map[parameter.name] = .string(name) }
        }
        let index: JSON = [
            "metadata": ["total_size": .integer(Int64(parameters.reduce(0) { $0 + bytes($1) }))],
            "weight_map": .object(map),
        ]
        try AtomicFile.replace(
            "\(folder)/model.safetensors.index.json", with: index.canonicalBytes + [UInt8(ascii: "\n")])
    }

    /// As Hugging Face numbers shards.
    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
