#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file being written beside its target, which it replaces in one step when published.
///
/// Dropped without ``publish()`` it leaves nothing behind. Not for use from several threads.
public final class AtomicFile {
    private let path: String
    private let temporary: String
    private var descriptor: CInt

    /// Opens `path` with the suffix `.partial-<process id>` for writing.
    ///
    /// - Throws: ``SafetensorsError`` when the folder is missing or not writable.
    public init(path: String) throws(SafetensorsError) {
        self.path = path
        temporary = "\(path).partial-\(getpid())"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SafetensorsError.system(path, "cannot be created") }
    }

    /// Appends bytes.
    ///
    /// - Throws: ``SafetensorsError``, for instance on a full disk.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = write(descriptor, rest.baseAddress!, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SafetensorsError.system(path, "cannot be written")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Flushes to disk and renames over the target.
    ///
    /// - Throws: ``SafetensorsError`` when the bytes cannot be made durable; the target is untouched then.
    public func publish() throws(SafetensorsError) {
        guard fsync(descriptor) == 0 else { throw SafetensorsError.system(path, "cannot be flushed to disk") }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(temporary, path) == 0 else {
            let error = SafetensorsError.system(path, "cannot be put in place")
            unlink(temporary)
            throw error
        }
    }

    /// Writes a whole file in one step.
    ///
    /// - Throws: ``SafetensorsError``; the target is untouched then.
    public static func replace(_ path: String, with bytes: [UInt8]) throws(SafetensorsError) {
        let file = try AtomicFile(path: path)
        let result: Result<Void, SafetensorsError> = bytes.withUnsafeBytes { buffer in
            Result { () throws(SafetensorsError) in try file.append(buffer) }
        }
        try result.get()
        try file.publish()
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }
}
