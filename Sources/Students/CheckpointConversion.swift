import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors

/// How the tensors of a checkpoint are spread over files that are to be written.
struct ShardedLayout {
    struct File: Equatable {
        let name: String
        let tensors: [String]
    }

    let files: [File]

    /// Fills files in the order of the tensors; one that would exceed `limit` bytes is closed before.
    ///
    /// - Parameter limit: nil for one file, `model.safetensors`.
    init(_ tensors: [(name: String, bytes: Int)], limit: Int?) {
        var groups: [[String]] = [[]]
        var size = 0
        for tensor in tensors {
            if let limit, size > 0, size + tensor.bytes > limit {
                groups.append([])
                size = 0
            }
            groups[groups.count - 1].append(tensor.name)
            size += tensor.bytes
        }
        let count = groups.count
        files = groups.enumerated().map { index, names in
            File(name: count == 1 ? "model.safetensors" : Self.name(index + 1, of: count), tensors: names)
        }
    }

    /// `model-00001-of-00003.safetensors`, as transformers names them.
    private static func name(_ index: Int, of count: Int) -> String {
        func padded(_ number: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        }
        return "model-\(padded(index))-of-\(padded(count)).safetensors"
    }

    /// The index that names each tensor's file, or nil for one file.
    func index(totalBytes: Int) -> JSON? {
        guard files.count > 1 else { return nil }
        let map = files.flatMap { file in file.tensors.map { ($0, JSON.string(file.name)) } }
        return ["metadata": ["total_size": .integer(Int64(totalBytes))], "weight_map": .object(JSONObject(map))]
    }
}

extension Checkpoint {
    /// Files beside the tensors and config.json that go along when a checkpoint is written again.
    static let companionFiles = tokenizerFiles + ["generation_config.json"]

    /// Writes the checkpoint to another directory tensor by tensor, so that memory holds one at a time; the directory
    /// appears complete or not at all.
    ///
    /// - Parameters:
    ///   - type: of all tensors; nil keeps each tensor's own.
    ///   - shardBytes: of tensors in a file, at most; nil for one file.
    ///   - change: the tensor to write in place of the one by this name, such as one with an adapter merged in.
    /// - Throws: ``StudentError``, `SafetensorsError` or `TensorError`, for instance when the directory exists and is
    ///   not empty, or on a full disk.
    func rewrite(
        to output: String, type: Tensor.Element?, shardBytes: Int?,
        change: (String, Tensor) throws -> Tensor = { $1 }
    ) throws {
        let names = configuration.parameterShapes.map(\.name)
        let tensors = try names.map { name in
            let entry = try find(name).1
            let element = type ?? Tensor.Element(entry.type)!
            return (
                name: name, type: element, shape: entry.shape, bytes: entry.elementCount * element.byteCount
            )
        }
        let byName = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let sharded = ShardedLayout(tensors.map { ($0.name, $0.bytes) }, limit: shardBytes)
        try FileSystem.createDirectory(output) { folder in
            for file in sharded.files {
                let layout = try SafetensorsLayout(
                    file.tensors.map { name in
                        let tensor = byName[name]!
                        return (name: name, type: tensor.type.safetensorsType, shape: tensor.shape)
                    }, metadata: [("format", "pt")], source: file.name)
                try SafetensorsArchive.write(layout, to: "\(folder)/\(file.name)") { entry, emit in
                    let (archive, stored) = try find(entry.name)
                    let tensor = try archive.withBytes(of: stored) {
                        try Tensor(bytes: $0, type: Tensor.Element(stored.type)!, shape: stored.shape)
                    }
                    try change(entry.name, tensor).converted(to: byName[entry.name]!.type).withBytes(emit)
                }
            }
            if let index = sharded.index(totalBytes: tensors.reduce(0) { $0 + $1.bytes }) {
                try AtomicFile.replace(
                    "\(folder)/model.safetensors.index.json", with: index.canonicalBytes + [UInt8(ascii: "\n")])
            }
            var object = configurationJSON
            if let type { object[object["dtype"] == nil ? "torch_dtype" : "dtype"] = .string("\(type)") }
            try AtomicFile.replace(
                "\(folder)/config.json", with: JSON.object(object).canonicalBytes + [UInt8(ascii: "\n")])
            for name in Self.companionFiles where FileSystem.isFile("\(directory)/\(name)") {
                try AtomicFile.replace("\(folder)/\(name)", with: FileSystem.read("\(directory)/\(name)"))
            }
        }
    }
}

extension Tensor.Element {
    init(_ type: ConversionJob.ElementType) {
        switch type {
        case .float32: self = .float32
        case .bfloat16: self = .bfloat16
        case .float16: self = .float16
        }
    }
}

extension JobRunner {
    func convert(_ job: ConversionJob) throws {
        try TensorLibrary.initialize(threads: 1)
        try requireAbsent(job.output)
        let start = clock()
        let checkpoint = try Checkpoint(directory: job.checkpoint)
        let adapter = try job.adapter.map { try Adapter(directory: $0, for: checkpoint) }
        try withoutGradients {
            try checkpoint.rewrite(
                to: job.output, type: job.type.map { Tensor.Element($0) }, shardBytes: job.shardBytes
            ) { name, tensor in
                guard name.hasSuffix(".weight"), let update = adapter?.update(of: String(name.dropLast(7))) else {
                    return tensor
                }
                return try update.merged(into: tensor.converted(to: .float32))
            }
        }
        try report(.done(WorkSummary(output: job.output, steps: 0, tokens: 0, seconds: clock() - start)))
    }
}
