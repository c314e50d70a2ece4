import Glibc

extension LocalStore {
    /// Writes the plain content of a blob's file to a new file beside it in the store's temporary folder, for
    /// transports that carry no compressed content. The caller removes it.
    ///
    /// - Returns: The file and the size of the content.
    /// - Throws: ``ContentStoreError``, as ``BlobStore/readFile(_:limit:to:executable:)``.
    public func expand(_ digest: Digest) throws -> (path: String, bytes: Int) {
        let path = try temporaryPath()
        try readFile(digest, limit: 1 << 60, to: path)
        return (path, try FileSystem.status(of: path)?.bytes ?? 0)
    }
}
