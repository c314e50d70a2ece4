import Glibc

/// Directories as tree artifacts.
extension BlobStore {
    /// Keeps every file under `folder`. Empty folders are not kept; of the modes, only whether the owner may execute.
    ///
    /// The manifest is not written: ``write(_:)-(Artifact)`` does that.
    ///
    /// - Throws: ``ContentStoreError``: `unsupportedFile` for a symbolic link, a device or a name that is not UTF-8,
    ///   `changedWhileRead`, or `system`.
    public func writeTree(at folder: String, type: ArtifactType) throws -> Artifact {
        var entries: [TreeEntry] = []
        for file in try DirectoryWalk.files(under: folder) {
            let content = try writeFile(at: "\(folder)/\(file.path)")
            entries.append(
                TreeEntry(
                    path: file.path, digest: content.digest, bytes: content.bytes, executable: file.isExecutable))
        }
        return try Artifact(type: type, tree: entries)
    }

    /// Makes a folder at `path` with the artifact's files, each verified. The folder appears complete or not at all.
    ///
    /// - Throws: ``ContentStoreError``, as ``BlobStore/readFile(_:limit:to:executable:)``; `system` also where
    ///   something is at `path` already.
    public func readTree(_ artifact: Artifact, to path: String) throws {
        if try FileSystem.status(of: path) != nil { throw FileSystem.failure("creating", path, EEXIST) }
        let partial = "\(path).partial-\(getpid())"
        try DirectoryWalk.remove(partial)
        try FileSystem.makeFolders(partial)
        do {
            for entry in artifact.tree {
                let target = "\(partial)/\(entry.path)"
                try FileSystem.makeFolders(FileSystem.folder(of: target))
                try readFile(entry.digest, limit: entry.bytes, to: target, executable: entry.executable)
                guard try FileSystem.status(of: target)?.bytes == entry.bytes else {
                    throw Artifact.malformed("gives \(entry.path) \(entry.bytes) bytes, but its content has fewer")
                }
            }
            try FileSystem.rename(partial, to: path)
        } catch {
            try? DirectoryWalk.remove(partial)
            throw error
        }
    }
}
