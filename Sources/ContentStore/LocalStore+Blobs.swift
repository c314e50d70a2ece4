import Glibc
import Synchronization

extension LocalStore {
    /// Those that are neither here nor to be had from upstream.
    public func missing(among digests: [Digest]) throws -> [Digest] { try unavailable(among: digests) }

    /// Runs `check`, whose findings are to hold as long as this store is open.
    func protecting<Value: Sendable>(_ digests: [Digest], check: () throws -> Value) throws -> Value {
        guard let session else { return try check() }
        return try session.uses.protect(digests, check: check)
    }

    /// Those of `digests` that are not here now.
    ///
    /// - Parameter noting: Remembers those that lie in place. Only of content that this session protects.
    func absent(among digests: [Digest], noting: Bool = false) throws -> [Digest] {
        // Not a copy of them all: whoever writes next would have to make another.
        let placed = state.withLock { state in
            state.pendingBlobs.isEmpty ? digests : digests.filter { state.pendingBlobs[$0] == nil }
        }
        let present = try Parallel.map(placed, atLeast: 512) { digest in
            var status = stat()
            guard layout.withBlob(digest, { lstat($0, &status) }) == 0 else {
                guard errno == ENOENT else { throw FileSystem.failure("examining", layout.blob(digest)) }
                return false
            }
            // No frame is empty: an empty file is what a power failure may leave on some file systems.
            return status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
        }
        if noting {
            state.withLock { state in
                for (digest, isPresent) in zip(placed, present) { state.present.note(digest, isPresent) }
            }
        }
        return zip(placed, present).filter { !$0.1 }.map(\.0)
    }

    public func read(_ digest: Digest, limit: Int) throws -> [UInt8] {
        try reading(digest, limit: limit) { file, path, isVerified in
            try BlobFile.contents(of: file, path, limit: limit, digest: isVerified ? nil : digest)
        }
    }

    public func readFile(_ digest: Digest, limit: Int, to path: String, executable: Bool = false) throws {
        let partial = "\(path).partial-\(getpid())"
        try reading(digest, limit: limit) { file, blobPath, _ in
            let mode: mode_t = executable ? 0o755 : 0o644
            let target = try FileSystem.open(
                partial, O_WRONLY | O_CREAT | O_EXCL, mode: mode, doing: "creating")
            do {
                try BlobFile.copy(file, blobPath, to: target, partial, limit: limit, digest: digest)
            } catch {
                _ = unlink(partial)
                throw error
            }
        }
        // A link refuses to replace what is there; a rename would not.
        defer { _ = unlink(partial) }
        guard link(partial, path) == 0 else { throw FileSystem.failure("creating", path) }
    }

    public func write(_ bytes: [UInt8]) throws -> Digest {
        let digest = Digest(of: bytes)
        if try holds(digest, bytes: bytes.count) { return digest }
        adopt(digest, try writeTemporary(bytes))
        return digest
    }

    /// Writes content to a temporary file. Returns its path.
    func writeTemporary(_ bytes: [UInt8]) throws -> String {
        let temporary = try temporaryPath()
        if bytes.count <= ZstdFrames.contentBytes {
            let frame = bytes.withUnsafeBytes { BlobFile.compress($0, level: compressionLevel) }
            try frame.withUnsafeBytes { try FileSystem.create(temporary, $0) }
        } else {
            var position = 0
            _ = try writeFrames(to: temporary) { buffer in
                let count = min(buffer.count, bytes.count - position)
                bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[position..<position + count])) }
                position += count
                return count
            }
        }
        return temporary
    }

    public func writeFile(at path: String) throws -> FileContent {
        let file = try FileSystem.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, doing: "reading")
        let before = try FileSystem.status(of: file, path)
        guard before.kind == .file else {
            throw ContentStoreError(
                .unsupportedFile, path, "is not a regular file", remedy: "replace it by a file, or leave it out")
        }
        let raw = file.raw
        if before.bytes <= ZstdFrames.contentBytes {
            let bytes = try FileSystem.contents(of: file, path, count: before.bytes)
            guard try FileSystem.status(of: file, path) == before, bytes.count == before.bytes else {
                throw FileSystem.changedWhileRead(path)
            }
            return FileContent(digest: try write(bytes), bytes: bytes.count)
        }
        let temporary = try temporaryPath()
        do {
            let content = try writeFrames(to: temporary) { try FileSystem.read(raw, into: $0, path) }
            guard try FileSystem.status(of: file, path) == before, content.bytes == before.bytes else {
                throw FileSystem.changedWhileRead(path)
            }
            if try holds(content.digest, bytes: content.bytes) {
                _ = unlink(temporary)
            } else {
                adopt(content.digest, temporary)
            }
            return content
        } catch {
            _ = unlink(temporary)
            throw error
        }
    }

    /// Keeps what `read` gives, with memory for one frame.
    ///
    /// - Parameter read: Fills the buffer as far as it can; fewer bytes than fit only at the end.
    func writeStream(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) throws -> Digest {
        let temporary = try temporaryPath()
        let content = try writeFrames(to: temporary, width: 1, read: read)
        do {
            if try holds(content.digest, bytes: content.bytes) {
                _ = unlink(temporary)
            } else {
                adopt(content.digest, temporary)
            }
        } catch {
            _ = unlink(temporary)
            throw error
        }
        return content.digest
    }

    private func writeFrames(
        to temporary: String, width: Int = BlobFile.width, read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> FileContent {
        let target = try FileSystem.open(temporary, O_WRONLY | O_CREAT | O_EXCL, doing: "creating")
        do {
            return try BlobFile.write(to: target, temporary, level: compressionLevel, width: width, read: read)
        } catch {
            _ = unlink(temporary)
            throw error
        }
    }

    /// Whether content about to be written is here already, intact. A damaged blob is put aside and written anew.
    private func holds(_ digest: Digest, bytes: Int) throws -> Bool {
        _ = try writing()
        guard try protecting([digest], check: { try absent(among: [digest]) }).isEmpty else { return false }
        if state.withLock({ $0.verified.contains(digest) || $0.pendingBlobs[digest] != nil }) { return true }
        do {
            try verify(digest, bytes: bytes)
            return true
        } catch let error as ContentStoreError where error.code == .corruptBlob || error.code == .missingBlob {
            return false
        }
    }

    /// Registers a complete temporary file as the content of `digest`.
    func adopt(_ digest: Digest, _ temporary: String) {
        let isFirst = state.withLock { state in
            guard state.pendingBlobs[digest] == nil else { return false }
            state.pendingBlobs[digest] = temporary
            return true
        }
        if !isFirst { _ = unlink(temporary) }
    }
}
