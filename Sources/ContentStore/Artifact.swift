/// What a stage's output port holds: a type and where its content lies, by digest.
///
/// Two artifacts are equal exactly when their manifests are, byte for byte.
public struct Artifact: Sendable, Hashable {
    public enum Content: Sendable, Hashable {
        /// Records, in the order of the prefixes; no prefix lies under another.
        case shards([Shard])
        /// A directory, in the order of the paths' UTF-8 bytes; no path lies under another.
        case tree([TreeEntry])
    }

    /// How many shards or files an artifact may have.
    public static let maximumEntries = 1 << 20
    /// How large a manifest may be, in bytes.
    public static let maximumManifestBytes = 256 << 20

    public let type: ArtifactType
    public let content: Content
    /// The SHA-256 of the manifest: the artifact's identity.
    public let digest: Digest

    /// An artifact of records. The shards may come in any order. O(n log n).
    ///
    /// - Throws: ``ContentStoreError`` with code `malformed` where prefixes repeat or overlap, a size is impossible, or
    ///   there are more than ``maximumEntries``.
    public init(type: ArtifactType, shards: [Shard]) throws {
        try Artifact.checkCount(shards.count, of: "shards")
        // In order they mostly are, and a sorted copy of a hundred thousand is not free.
        let isSorted = zip(shards, shards.dropFirst()).allSatisfy { $0.prefix < $1.prefix }
        let sorted = isSorted ? shards : shards.sorted { $0.prefix < $1.prefix }
        try self.init(type: type, content: .shards(sorted), manifest: nil)
    }

    /// An artifact of files. The entries may come in any order. O(n log n).
    ///
    /// - Throws: ``ContentStoreError`` with code `malformed` where a path repeats, lies under another, or would leave
    ///   the tree, a size is negative, or there are more than ``maximumEntries``.
    public init(type: ArtifactType, tree: [TreeEntry]) throws {
        try Artifact.checkCount(tree.count, of: "files")
        let sorted = tree.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        try self.init(type: type, content: .tree(sorted), manifest: nil)
    }

    /// - Parameter manifest: The canonical bytes, where the caller has them already.
    init(type: ArtifactType, content: Content, manifest: [UInt8]?) throws {
        self.type = type
        self.content = content
        try Artifact.validate(content)
        digest =
            switch content {
            case .shards(let shards) where manifest == nil:
                Digest(ofPieces: ShardManifest.pieces(type, shards))
            default: Digest(of: manifest ?? Artifact.encode(type, content))
            }
    }

    /// The shards; empty for a tree.
    public var shards: [Shard] { if case .shards(let shards) = content { shards } else { [] } }

    /// The files; empty for records.
    public var tree: [TreeEntry] { if case .tree(let entries) = content { entries } else { [] } }

    /// The blobs of its shards or files with the sizes of their contents in bytes, without the manifest.
    public var sizedBlobs: [(digest: Digest, bytes: Int)] {
        switch content {
        case .shards(let shards): shards.map { ($0.digest, $0.bytes) }
        case .tree(let entries): entries.map { ($0.digest, $0.bytes) }
        }
    }

    /// How many records all shards hold together, or how many files the tree has.
    public var count: Int {
        switch content {
        case .shards(let shards): shards.reduce(0) { $0 + $1.records }
        case .tree(let entries): entries.count
        }
    }

    /// The uncompressed size of the content, the manifest not counted.
    public var bytes: Int {
        switch content {
        case .shards(let shards): shards.reduce(0) { $0 + $1.bytes }
        case .tree(let entries): entries.reduce(0) { $0 + $1.bytes }
        }
    }

    /// The digests of the blobs the content needs, sorted, each once; the manifest's own is not among them.
    public var blobs: [Digest] {
        let all =
            switch content {
            case .shards(let shards): shards.map(\.digest)
            case .tree(let entries): entries.map(\.digest)
            }
        return Digest.sortedSet(all)
    }

    public static func == (a: Artifact, b: Artifact) -> Bool { a.digest == b.digest }

    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

extension Digest {
    /// Sorted, each digest once. O(n log n).
    static func sortedSet(_ digests: [Digest]) -> [Digest] {
        var result: [Digest] = []
        result.reserveCapacity(digests.count)
        for digest in digests.sorted() where digest != result.last { result.append(digest) }
        return result
    }
}
