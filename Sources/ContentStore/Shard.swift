/// The records of an artifact that share a prefix, as one blob.
public struct Shard: Hashable, Sendable {
    public let prefix: ShardPrefix
    /// Of the uncompressed content.
    public let digest: Digest
    /// How many records the content holds, at least 1.
    public let records: Int
    /// The size of the uncompressed content.
    public let bytes: Int

    public init(prefix: ShardPrefix, digest: Digest, records: Int, bytes: Int) {
        self.prefix = prefix
        self.digest = digest
        self.records = records
        self.bytes = bytes
    }
}

/// One file of a tree artifact.
public struct TreeEntry: Hashable, Sendable {
    /// Relative to the tree's root, with `/` between the parts; neither empty parts nor `.` nor `..`.
    public let path: String
    /// Of the file's content.
    public let digest: Digest
    public let bytes: Int
    public let executable: Bool

    public init(path: String, digest: Digest, bytes: Int, executable: Bool = false) {
        self.path = path
        self.digest = digest
        self.bytes = bytes
        self.executable = executable
    }

    /// By the UTF-8 bytes of the paths, never by Unicode equivalence.
    public static func == (a: TreeEntry, b: TreeEntry) -> Bool {
        a.path.utf8.elementsEqual(b.path.utf8) && a.digest == b.digest && a.bytes == b.bytes
            && a.executable == b.executable
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(digest)
        hasher.combine(bytes)
    }
}
