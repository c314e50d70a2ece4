import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// A stage's surroundings without a store: inputs are records in memory, and outputs stay there.
final class RehearsalContext: ActionContext {
    struct Unsupported: Error {}

    let stageName: String
    let prefix = ShardPrefix.root
    var scratchDirectory: String { "" }
    var resumeDirectory: String { "" }
    let localDirectory: String
    private let node: StageNode
    private let inputs: [String: [JSONObject]]
    private let files: StatCache
    private let written = Mutex<[String: (records: [JSONObject], limit: ShardLimit)]>([:])

    /// - Parameter files: knows the digests of files that did not change.
    init(_ node: StageNode, inputs: [String: [JSONObject]], localDirectory: String, files: StatCache) {
        self.node = node
        self.inputs = inputs
        self.files = files
        self.localDirectory = localDirectory
        stageName = node.name
    }

    /// What was written, by output, with the limit on its shards; nothing written is nothing.
    var outputs: [String: (records: [JSONObject], limit: ShardLimit)] {
        let written = written.withLock { $0 }
        return Dictionary(
            uniqueKeysWithValues: node.signature.outputs.map { ($0.name, written[$0.name] ?? ([], .standard)) })
    }

    func roles(of port: String) -> [String] {
        let roles = node.inputs.filter { $0.port.name == port }.map(\.role)
        return node.signature.input(port)?.arity == .named ? roles.sorted { compareUTF8($0, $1) < 0 } : roles
    }

    func recordCount(_ role: String) -> Int { inputs[role]?.count ?? 0 }
    func shards(_ role: String) -> [Shard] { [] }
    func read(_ shard: Shard) throws -> [UInt8] { throw Unsupported() }
    func records(_ role: String) throws -> [JSONObject] {
        guard let records = inputs[role] else { throw Unsupported() }
        return records
    }
    func directory(_ role: String) throws -> String { throw Unsupported() }

    func sourceBytes(_ role: String) throws -> [UInt8] {
        let path = source(role).path
        return try SourceDirectory.read(path, limit: 1 << 31)
    }

    func sourceFiles(_ role: String) throws -> [String] { try SourceDirectory.files(in: source(role).path) }
    func sourceDigest(_ role: String, file: String) throws -> Digest {
        try files.content(of: "\(source(role).path)/\(file)").digest
    }
    func sourceBytes(_ role: String, file: String) throws -> [UInt8] {
        try SourceDirectory.read("\(source(role).path)/\(file)", limit: 1 << 31)
    }
    func source(_ role: String) -> SourcePath { node.parameters.sources.first { $0.role == role }! }
    func program(_ name: String) throws -> String { throw Unsupported() }

    func write(_ records: [JSONObject], to output: String, limit: ShardLimit) throws {
        let sorted = records.sorted { compareUTF8($0["id"]?.string ?? "", $1["id"]?.string ?? "") < 0 }
        written.withLock { $0[output] = (sorted, limit) }
    }

    func write(tensors bytes: [UInt8], records: Int, to output: String) throws { throw Unsupported() }
    func write(directory path: String, to output: String) throws { throw Unsupported() }
    func report(_ progress: JSONObject) {}
}
