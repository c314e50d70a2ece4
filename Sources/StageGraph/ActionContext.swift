import CanonicalJSON
import ContentStore

/// What an action may touch: its inputs, its outputs, a folder of its own and the progress display.
public protocol ActionContext: Sendable {
    /// The stage's name in the pipeline, for messages.
    var stageName: String { get }
    /// The shard this action works on; the root for source and reduce stages.
    var prefix: ShardPrefix { get }
    /// An empty folder of this action's own, removed after it.
    var scratchDirectory: String { get }
    /// A folder that outlives an interrupted run and is there again when the same action is started again; it goes when
    /// the action's result is safe. For what a long action needs to go on where it was. It need not exist yet.
    var resumeDirectory: String { get }
    /// Where this machine keeps what is never shared, such as the response ledger.
    var localDirectory: String { get }

    /// The roles bound to a port: one for a plain port, none for an optional port left open, those of a list in the
    /// order of the list, and named ones in the order of their names.
    func roles(of port: String) -> [String]

    /// The number of records behind a role, without reading them.
    func recordCount(_ role: String) -> Int

    /// The shards an action sees behind a role, in prefix order.
    func shards(_ role: String) -> [Shard]

    /// A shard's uncompressed, verified bytes.
    func read(_ shard: Shard) throws -> [UInt8]

    /// The records behind a role, sorted by id.
    func records(_ role: String) throws -> [JSONObject]

    /// A tree, materialised as a read-only directory.
    func directory(_ role: String) throws -> String

    /// A source file's bytes. An error when they no longer have the digest that is part of the action key.
    func sourceBytes(_ role: String) throws -> [UInt8]

    /// The files of a source directory: their paths in it, sorted.
    func sourceFiles(_ role: String) throws -> [String]

    /// The bytes of a file in a source directory, checked like ``sourceBytes(_:)``.
    func sourceBytes(_ role: String, file: String) throws -> [UInt8]

    /// The digest of a file in a source directory, which has a part in the action key. An error when the file is no
    /// longer what it was; a file that was not touched since is not read again.
    func sourceDigest(_ role: String, file: String) throws -> Digest

    /// A source directory's or file's path, for a stage that hands it to a program.
    func source(_ role: String) -> SourcePath

    /// The path of a program the signature declares.
    func program(_ name: String) throws -> String

    /// Writes records to an output. In a map stage every id must belong to the action's shard, and `limit` plays no
    /// part; elsewhere the records are partitioned by it.
    func write(_ records: [JSONObject], to output: String, limit: ShardLimit) throws

    /// Writes a shard of tensors to an output of a map stage. An empty shard (0 records) is left out.
    func write(tensors bytes: [UInt8], records: Int, to output: String) throws

    /// Writes a directory to a tree output.
    func write(directory path: String, to output: String) throws

    /// Shows progress; never part of the result.
    func report(_ progress: JSONObject)
}

extension ActionContext {
    /// Writes records, partitioned by the standard limit where this is no map stage.
    public func write(_ records: [JSONObject], to output: String) throws {
        try write(records, to: output, limit: .standard)
    }
}
