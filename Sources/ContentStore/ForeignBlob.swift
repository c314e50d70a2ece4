import CZstd
import Glibc

/// Content from elsewhere, rewritten as this store keeps it: zstd frames of another's making, or plain bytes.
enum ForeignBlob {
    enum Form { case zstd, plain }

    private static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    /// What the file at `path` may hold, the likelier first.
    static func forms(of path: String) throws -> [Form] {
        let file = try FileSystem.open(path, O_RDONLY | O_NOFOLLOW, doing: "reading")
        return try FileSystem.contents(of: file, path, count: magic.count) == magic ? [.zstd, .plain] : [.plain]
    }

    /// Writes the content of the file at `path` as frames to `target`, with bounded memory.
    ///
    /// - Parameter limit: how many bytes the content may have; no more are ever decompressed.
    static func rewrite(_ path: String, as form: Form, to target: String, level: Int, limit: Int) throws -> FileContent
    {
        let file = try FileSystem.open(path, O_RDONLY | O_NOFOLLOW, doing: "reading")
        let raw = file.raw
        switch form {
        case .zstd:
            let stream = DecompressingReader(raw, path)
            return try write(to: target, level: level, limit: limit) { try stream.read(into: $0) }
        case .plain:
            return try write(to: target, level: level, limit: limit) { try FileSystem.read(raw, into: $0, path) }
        }
    }

    private static func write(
        to path: String, level: Int, limit: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> FileContent {
        _ = unlink(path)
        let target = try FileSystem.open(path, O_WRONLY | O_CREAT | O_EXCL, doing: "creating")
        var total = 0
        return try BlobFile.write(to: target, path, level: level) { buffer in
            let count = try read(buffer)
            total += count
            guard total <= limit else { throw BlobFile.Refusal.tooLarge(nil) }
            return count
        }
    }
}

/// Decompresses a zstd stream of any framing, as much as is asked for.
private final class DecompressingReader {
    private let descriptor: Int32
    private let path: String
    private let stream: OpaquePointer
    private var input = [UInt8](repeating: 0, count: 256 << 10)
    private var available = 0
    private var position = 0
    private var isAtFrameEnd = false

    init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
        guard let stream = ZSTD_createDStream() else { fatalError("no memory for a zstd context") }
        self.stream = stream
    }

    deinit { ZSTD_freeDStream(stream) }

    /// Fills the buffer; fewer bytes only at the end of the stream.
    func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        while output.pos < output.size {
            if position == available {
                available = try input.withUnsafeMutableBytes { try FileSystem.read(descriptor, into: $0, path) }
                position = 0
            }
            let before = output.pos
            let isInputOver = available == 0
            let hint = input.withUnsafeBytes { bytes in
                var source = ZSTD_inBuffer(src: bytes.baseAddress, size: available, pos: position)
                defer { position = source.pos }
                return ZSTD_decompressStream(stream, &output, &source)
            }
            guard ZSTD_isError(hint) == 0 else {
                throw BlobFile.Refusal.damaged("zstd says: \(String(cString: ZSTD_getErrorName(hint)))")
            }
            if !(isInputOver && output.pos == before) { isAtFrameEnd = hint == 0 }
            if isInputOver && output.pos == before {
                guard isAtFrameEnd else { throw BlobFile.Refusal.damaged("the zstd stream is cut off") }
                break
            }
        }
        return output.pos
    }
}
