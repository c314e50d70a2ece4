/// What a file's bytes are, by content.
public struct FileContent: Hashable, Sendable {
    public let digest: Digest
    public let bytes: Int

    public init(digest: Digest, bytes: Int) {
        self.digest = digest
        self.bytes = bytes
    }
}

/// Content by its digest: the first of the two memories a run needs.
///
/// Everything read has been verified against its digest. All methods may be called from several threads at once.
public protocol BlobStore: Sendable {
    /// Those of `digests` that this store does not hold, in the order given.
    func missing(among digests: [Digest]) throws -> [Digest]

    /// The content with this digest.
    ///
    /// - Parameter limit: The size promised by whoever named the digest; larger content is refused before it is
    ///   decompressed.
    /// - Throws: ``ContentStoreError``: `missingBlob`, `corruptBlob`, `tooLarge`, or `system`.
    func read(_ digest: Digest, limit: Int) throws -> [UInt8]

    /// Keeps `bytes`. They can be read through this store at once.
    func write(_ bytes: [UInt8]) throws -> Digest

    /// Keeps a file's content, with bounded memory.
    ///
    /// - Throws: ``ContentStoreError``: `changedWhileRead` where the file changed meanwhile, `unsupportedFile` for
    ///   anything but a regular file, or `system`.
    func writeFile(at path: String) throws -> FileContent

    /// Writes content to a new file at `path`, with bounded memory. The file appears complete and verified, or not at
    /// all.
    ///
    /// - Throws: as ``read(_:limit:)``; `system` also where the file exists already.
    func readFile(_ digest: Digest, limit: Int, to path: String, executable: Bool) throws
}

extension BlobStore {
    public func contains(_ digest: Digest) throws -> Bool { try missing(among: [digest]).isEmpty }

    /// A shard's content, of exactly the size its manifest says.
    public func read(_ shard: Shard) throws -> [UInt8] { try read(shard.digest, bytes: shard.bytes) }

    /// Content of exactly `bytes` bytes.
    ///
    /// - Throws: as ``read(_:limit:)``, and `malformed` where the content is shorter than promised.
    public func read(_ digest: Digest, bytes: Int) throws -> [UInt8] {
        let content = try read(digest, limit: bytes)
        guard content.count == bytes else {
            throw ContentStoreError(
                .malformed, "blob \(digest.short)", "has \(content.count) bytes where its manifest says \(bytes)",
                remedy: "the manifest was altered: run the stage that makes the artifact again")
        }
        return content
    }

    /// Keeps the manifest. The blobs it names are the caller's to write first.
    public func write(_ artifact: Artifact) throws { _ = try write(artifact.manifest) }

    /// The artifact whose manifest has this digest.
    public func readArtifact(_ digest: Digest) throws -> Artifact {
        let manifest = try read(digest, limit: Artifact.maximumManifestBytes)
        do {
            return try Artifact(manifest: manifest)
        } catch let error as ContentStoreError {
            throw ContentStoreError(
                error.code, "the artifact manifest \(digest.short)", error.problem, remedy: error.remedy)
        }
    }
}
