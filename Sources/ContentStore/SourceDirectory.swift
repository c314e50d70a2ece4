import Glibc

/// Files outside the store that a pipeline reads.
public enum SourceDirectory {
    /// The regular files under a folder: paths relative to it, sorted by their bytes.
    ///
    /// - Throws: ``ContentStoreError``: `unsupportedFile` for a symbolic link or a device, or `system`.
    public static func files(in folder: String) throws -> [String] {
        try DirectoryWalk.files(under: folder).map(\.path)
    }

    /// A file's bytes; `tooLarge` when it has more than `limit`.
    public static func read(_ path: String, limit: Int) throws -> [UInt8] {
        guard let bytes = try FileSystem.contents(of: path, limit: limit) else {
            throw FileSystem.failure("reading", path, ENOENT)
        }
        return bytes
    }
}
