import Dispatch
import Glibc

/// The bytes of one blob's file, turned into content and back.
enum BlobFile {
    /// Why a file does not give the content it should.
    enum Refusal: Error {
        /// The bytes are not what was written.
        case damaged(String)
        /// The content is larger than the caller accepts; the actual size where it is known.
        case tooLarge(Int?)
    }

    /// How many pieces are in flight at once: enough to keep two cores busy, and memory within some 50 MiB.
    static let width = 6

    /// After how many bytes of frames the disk is told to start on them.
    private static let diskStride = 4 << 20

    /// The content of `file`, in memory.
    ///
    /// - Parameter digest: Checked against the content; nil where it has been before, and frame checksums suffice.
    static func contents(
        of file: borrowing Descriptor, _ path: String, limit: Int, digest: Digest?
    ) throws -> [UInt8] {
        let compressed = try compressedBytes(of: file, path, limit: limit)
        let content = try compressed.withUnsafeBytes { source in
            let frames = try measured { () throws(ZstdFrames.Malformed) in try ZstdFrames.frames(in: source) }
            let total = frames.last?.content.upperBound ?? 0
            guard total <= limit else { throw Refusal.tooLarge(total) }
            return try decompress(frames, of: source, total: total)
        }
        if let digest, Digest(of: content) != digest { throw Refusal.damaged("its content has another digest") }
        return content
    }

    /// Writes the content of `file` to `target`, in pieces.
    static func copy(
        _ file: borrowing Descriptor, _ path: String, to target: borrowing Descriptor, _ targetPath: String,
        limit: Int, digest: Digest
    ) throws {
        let descriptor = target.raw
        _ = try stream(file, path, limit: limit, digest: digest) { content in
            try FileSystem.write(content, to: descriptor, targetPath)
        }
    }

    /// Reads all of `file` and checks it. Returns the size of its content.
    static func check(
        _ file: borrowing Descriptor, _ path: String, limit: Int, digest: Digest
    ) throws -> Int {
        try stream(file, path, limit: limit, digest: digest) { _ in }
    }

    private static func stream(
        _ file: borrowing Descriptor, _ path: String, limit: Int, digest: Digest,
        consume: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int {
        if try limit <= ZstdFrames.contentBytes || isSmall(file, path) {
            let content = try contents(of: file, path, limit: limit, digest: digest)
            try content.withUnsafeBytes(consume)
            return content.count
        }
        var reader = FrameReader()
        var hasher = Hasher256()
        var total = 0
        let slots = (0..<width).map { _ in Piece() }
        let source = file.raw
        try OrderedPipeline(slots: slots).run { piece in
            guard let size = try reader.next(from: source, path, into: piece) else { return false }
            total += size
            guard total <= limit else { throw Refusal.tooLarge(nil) }
            return true
        } transform: { piece in
            try measured { () throws(ZstdFrames.Malformed) in try piece.decompress() }
        } consume: { piece in
            hasher.update(piece.content)
            try consume(piece.content)
        }
        guard hasher.finalize() == digest else { throw Refusal.damaged("its content has another digest") }
        return total
    }

    /// Whether the file and its content fit into one piece, whatever the caller would accept: then no pipeline and its
    /// buffers are needed.
    private static func isSmall(_ file: borrowing Descriptor, _ path: String) throws -> Bool {
        let size = try FileSystem.status(of: file, path).bytes
        guard size <= 256 << 10 else { return false }
        let bytes = try FileSystem.contents(of: file, path, count: size)
        guard lseek(file.raw, 0, SEEK_SET) == 0 else { throw FileSystem.failure("reading", path) }
        let frames = bytes.withUnsafeBytes { try? ZstdFrames.frames(in: $0) }
        return frames.map { ($0.last?.content.upperBound ?? 0) <= ZstdFrames.contentBytes } ?? false
    }

    /// Compresses content into one frame or several, in memory.
    static func compress(_ content: UnsafeRawBufferPointer, level: Int) -> [UInt8] {
        precondition(content.count <= ZstdFrames.contentBytes, "larger content is compressed by pieces")
        return [UInt8](unsafeUninitializedCapacity: ZstdFrames.bound(content.count)) { target, count in
            count = ZstdFrames.compress(content, into: UnsafeMutableRawBufferPointer(target), level: Int32(level))
        }
    }

    /// Writes everything `read` gives as frames to `target`, hashing on the caller's thread and compressing on all
    /// cores. Returns digest and size of the content.
    ///
    /// - Parameters:
    ///   - width: How many pieces are in flight at once: of one, memory is bounded more closely and one core compresses.
    ///   - read: Fills the buffer as far as it can; fewer bytes than fit only at the end.
    static func write(
        to target: borrowing Descriptor, _ targetPath: String, level: Int, width: Int = width,
        read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> FileContent {
        var hasher = Hasher256()
        var total = 0
        var ended = false
        let descriptor = target.raw
        var written = 0
        var started = 0
        let slots = (0..<width).map { _ in Piece() }
        try OrderedPipeline(slots: slots).run { piece in
            guard !ended else { return false }
            try piece.fill(read)
            ended = piece.content.count < ZstdFrames.contentBytes
            // Empty content is one empty frame; otherwise an empty piece is only the end.
            guard !piece.content.isEmpty || total == 0 else { return false }
            hasher.update(piece.content)
            total += piece.content.count
            return true
        } transform: { piece in
            piece.compress(level: Int32(level))
        } consume: { piece in
            try FileSystem.write(piece.frame, to: descriptor, targetPath)
            written += piece.frame.count
            // The disk works while the cores do, instead of after them.
            if written - started >= diskStride {
                FileSystem.startWriting(descriptor, offset: started, count: written - started)
                started = written
            }
        }
        return FileContent(digest: hasher.finalize(), bytes: total)
    }

    /// The file's bytes, unless there are more than content within the limit can take.
    private static func compressedBytes(
        of file: borrowing Descriptor, _ path: String, limit: Int
    ) throws -> [UInt8] {
        let size = try FileSystem.status(of: file, path).bytes
        // Incompressible content grows by 3 bytes in 128 KiB and some 20 a frame.
        let (most, overflow) = limit.addingReportingOverflow(limit >> 10 + 1024)
        guard overflow || size <= most else { throw Refusal.tooLarge(nil) }
        return try FileSystem.contents(of: file, path, count: size)
    }

    private static func decompress(
        _ frames: [ZstdFrames.Frame], of source: UnsafeRawBufferPointer, total: Int
    ) throws -> [UInt8] {
        var failure: (any Error)?
        let content = [UInt8](unsafeUninitializedCapacity: total) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            do {
                // Each frame fills a range of its own.
                nonisolated(unsafe) let target = target
                nonisolated(unsafe) let source = source
                try Parallel.forEach(frames, atLeast: 2) { frame in
                    try measured { () throws(ZstdFrames.Malformed) in
                        try ZstdFrames.decompress(
                            UnsafeRawBufferPointer(rebasing: source[frame.compressed]),
                            into: UnsafeMutableRawBufferPointer(rebasing: target[frame.content]))
                    }
                }
                count = total
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return content
    }

    /// Says malformed frames as damage.
    static func measured<Value>(_ body: () throws(ZstdFrames.Malformed) -> Value) throws(Refusal) -> Value {
        do throws(ZstdFrames.Malformed) {
            return try body()
        } catch {
            throw .damaged(error.problem)
        }
    }
}
