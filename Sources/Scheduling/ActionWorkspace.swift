import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// A mistake in a stage's code, found where it touches its inputs or outputs.
public struct StageContractError: Error, Sendable, CustomStringConvertible {
    public let description: String
}

/// The context of one action: reads from and writes to the store, and collects the outputs.
final class ActionWorkspace: ActionContext {
    /// An input as this action sees it.
    enum Input: Sendable {
        case shards([Shard], OutputPort.Layout)
        case tree(Artifact)
    }

    let stageName: String
    let prefix: ShardPrefix
    let resumeDirectory: String
    let localDirectory: String
    private let scratch: ScratchDirectory
    private let signature: StageSignature
    private let store: LocalStore
    private let trees: TreeCheckouts
    private let inputs: [(port: String, role: String, input: Input)]
    private let sources: [String: (path: SourcePath, content: SourceContent)]
    private let files: SourceFiles
    private let programs: [String: String]
    private let onProgress: @Sendable (JSONObject) -> Void
    private let outputs = Mutex<[String: ActionOutput]>([:])

    init(
        stageName: String, signature: StageSignature, prefix: ShardPrefix, scratch: ScratchDirectory,
        resumeDirectory: String,
        store: LocalStore, trees: TreeCheckouts, inputs: [(port: String, role: String, input: Input)],
        sources: [String: (path: SourcePath, content: SourceContent)], files: SourceFiles,
        programs: [String: String],
        onProgress: @escaping @Sendable (JSONObject) -> Void
    ) {
        self.stageName = stageName
        self.signature = signature
        self.prefix = prefix
        self.scratch = scratch
        self.resumeDirectory = resumeDirectory
        self.localDirectory = store.localDirectory
        self.store = store
        self.trees = trees
        self.inputs = inputs
        self.sources = sources
        self.files = files
        self.programs = programs
        self.onProgress = onProgress
    }

    var scratchDirectory: String { scratch.path }

    /// What the action wrote; an output of a map stage that nothing was written to is empty.
    func finish() throws -> [String: ActionOutput] {
        try outputs.withLock { written in
            for port in signature.outputs where written[port.name] == nil {
                guard signature.granularity == .map else { throw contract("never wrote its output \"\(port.name)\"") }
                written[port.name] = .shard(nil)
            }
            return written
        }
    }

    private func contract(_ problem: String) -> StageContractError {
        StageContractError(description: "the stage type \(signature.name) \(problem); this is a mistake in its code")
    }

    func report(_ progress: JSONObject) { onProgress(progress) }
}

// MARK: - Inputs

extension ActionWorkspace {
    func roles(of port: String) -> [String] {
        let roles = inputs.filter { $0.port == port }.map(\.role)
        // The order of named inputs in the file is no part of the key, so a stage must not see it.
        guard signature.input(port)?.arity == .named else { return roles }
        return roles.sorted { compareUTF8($0, $1) < 0 }
    }

    func recordCount(_ role: String) -> Int { shards(role).reduce(0) { $0 + $1.records } }

    func shards(_ role: String) -> [Shard] {
        guard case .shards(let shards, _) = input(role) else { preconditionFailure("\(role) is a tree") }
        return shards
    }

    func read(_ shard: Shard) throws -> [UInt8] { try store.read(shard) }

    func records(_ role: String) throws -> [JSONObject] {
        let shards = shards(role)
        var records: [JSONObject] = []
        records.reserveCapacity(shards.reduce(0) { $0 + $1.records })
        for shard in shards {
            let name = "shard \(shard.prefix) of input \"\(role)\""
            for record in try CanonicalRecords.decode(read(shard), name: name) {
                guard let object = record.object else { throw contract("read a record that is no object") }
                records.append(object)
            }
        }
        if shards.count > 1 { records.sort { compareUTF8($0["id"]!.string!, $1["id"]!.string!) < 0 } }
        return records
    }

    func directory(_ role: String) throws -> String {
        guard case .tree(let artifact) = input(role) else { preconditionFailure("\(role) is no tree") }
        return try trees.directory(artifact)
    }

    func sourceBytes(_ role: String) throws -> [UInt8] {
        guard let source = sources[role], case .file(let content) = source.content else {
            preconditionFailure("no source file \(role)")
        }
        return try read(source.path, source.path.path, expecting: content)
    }

    func sourceFiles(_ role: String) throws -> [String] {
        guard case .directory(let files)? = sources[role]?.content else { preconditionFailure("no directory \(role)") }
        return files.keys.sorted().map(\.text)
    }

    func sourceBytes(_ role: String, file: String) throws -> [UInt8] {
        guard let source = sources[role], case .directory(let files) = source.content,
            let content = files[BytePath(file)]
        else {
            preconditionFailure("no file \(file) in \(role)")
        }
        return try read(source.path, "\(source.path.path)/\(file)", expecting: content)
    }

    func sourceDigest(_ role: String, file: String) throws -> Digest {
        guard let source = sources[role], case .directory(let files) = source.content,
            let content = files[BytePath(file)]
        else {
            preconditionFailure("no file \(file) in \(role)")
        }
        let path = "\(source.path.path)/\(file)"
        guard try self.files.content(ofFile: path).digest == content.digest else {
            throw SourceError(source.path, "\(path) changed while the run was going on; run again")
        }
        return content.digest
    }

    func source(_ role: String) -> SourcePath {
        guard let (source, _) = sources[role] else { preconditionFailure("no source \(role)") }
        return source
    }

    private func read(_ source: SourcePath, _ path: String, expecting content: FileContent) throws -> [UInt8] {
        let changed = SourceError(source, "\(path) changed while the run was going on; run again")
        let bytes: [UInt8]
        do {
            bytes = try SourceDirectory.read(path, limit: content.bytes)
        } catch let error as ContentStoreError {
            // A file that has grown is beyond the limit.
            throw [.tooLarge, .changedWhileRead].contains(error.code) ? changed : SourceError(source, "\(error)")
        }
        guard bytes.count == content.bytes, Digest(of: bytes) == content.digest else { throw changed }
        return bytes
    }

    func program(_ name: String) throws -> String {
        guard let path = programs[name] else { throw contract("starts the program \(name) without declaring it") }
        return path
    }

    private func input(_ role: String) -> Input {
        guard let found = inputs.first(where: { $0.role == role }) else { preconditionFailure("no input \(role)") }
        return found.input
    }
}

// MARK: - Outputs

extension ActionWorkspace {
    func write(_ records: [JSONObject], to output: String, limit: ShardLimit) throws {
        let port = try port(output, .records)
        if signature.granularity == .map {
            for record in records {
                guard let id = record["id"]?.string else { throw contract("wrote a record without id") }
                guard prefix.contains(Digest(of: id)) else {
                    throw contract("wrote the record \"\(id)\", which does not belong to the shard \(prefix)")
                }
            }
            let shard = try records.isEmpty ? nil : write(records.map { .object($0) }, at: prefix)
            try set(output, .shard(shard))
        } else {
            let entries = try Parallel.map(records, atLeast: 256) { record in
                guard let id = record["id"]?.string else { throw contract("wrote a record without id") }
                return Partition.Entry(id: id, bytes: JSON.object(record).canonicalBytes.count + 1)
            }
            let parts = Partition.shards(of: entries, limit: limit)
            let kept = try store.write(parts, sizes: parts.map(\.bytes)) { part in
                try CanonicalRecords.encode(part.indices.map { .object(records[$0]) })
            }
            let shards = zip(parts, kept).map { part, content in
                Shard(
                    prefix: part.prefix, digest: content.digest, records: part.indices.count, bytes: content.bytes)
            }
            try publish(Artifact(type: port.type, shards: shards), to: output)
        }
    }

    func write(tensors bytes: [UInt8], records: Int, to output: String) throws {
        _ = try port(output, .tensors)
        guard signature.granularity == .map else { throw contract("writes tensors outside a map stage") }
        guard records > 0 else { return try set(output, .shard(nil)) }
        let digest = try store.write(bytes)
        try set(output, .shard(Shard(prefix: prefix, digest: digest, records: records, bytes: bytes.count)))
    }

    func write(directory path: String, to output: String) throws {
        let port = try port(output, .tree)
        try publish(store.writeTree(at: path, type: port.type), to: output)
    }

    private func write(_ records: [JSON], at prefix: ShardPrefix) throws -> Shard {
        let bytes = try CanonicalRecords.encode(records)
        return Shard(prefix: prefix, digest: try store.write(bytes), records: records.count, bytes: bytes.count)
    }

    private func publish(_ artifact: Artifact, to output: String) throws {
        try store.write(artifact)
        try set(output, .artifact(artifact))
    }

    private func port(_ name: String, _ layout: OutputPort.Layout) throws -> OutputPort {
        guard let port = signature.output(name) else { throw contract("has no output \"\(name)\"") }
        guard port.layout == layout else { throw contract("writes its output \"\(name)\" in the wrong layout") }
        return port
    }

    private func set(_ output: String, _ value: ActionOutput) throws {
        try outputs.withLock { written in
            guard written.updateValue(value, forKey: output) == nil else {
                throw contract("wrote its output \"\(output)\" twice")
            }
        }
    }
}
