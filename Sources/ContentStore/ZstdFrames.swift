import CZstd
import Synchronization

/// How blobs are written: independent zstd frames of at most 4 MiB of content each, every one with its content size
/// and a checksum.
enum ZstdFrames {
    /// The most content in one frame.
    static let contentBytes = 4 << 20

    /// What is wrong with bytes that should be frames.
    struct Malformed: Error {
        let problem: String
        init(_ problem: String) { self.problem = problem }
    }

    /// One frame in a buffer of frames.
    struct Frame {
        var compressed: Range<Int>
        var content: Range<Int>
    }

    /// The most bytes a frame of `count` bytes of content may take.
    static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    /// Compresses at most ``contentBytes`` into one frame. Returns its size; `target` has ``bound(_:)`` bytes.
    static func compress(
        _ content: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, level: Int32
    ) -> Int {
        precondition(content.count <= contentBytes, "a frame holds at most 4 MiB")
        let context = Contexts.compressors.take()
        defer { Contexts.compressors.give(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        let size = ZSTD_compress2(context, target.baseAddress, target.count, content.baseAddress, content.count)
        precondition(ZSTD_isError(size) == 0, "zstd: \(String(cString: ZSTD_getErrorName(size)))")
        return size
    }

    /// Decompresses one frame whose content has exactly `target.count` bytes.
    static func decompress(
        _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(Malformed) {
        let context = Contexts.decompressors.take()
        defer { Contexts.decompressors.give(context) }
        let size = ZSTD_decompressDCtx(context, target.baseAddress, target.count, frame.baseAddress, frame.count)
        guard ZSTD_isError(size) == 0 else { throw Malformed("zstd says: \(String(cString: ZSTD_getErrorName(size)))") }
        guard size == target.count else { throw Malformed("a frame holds less than it says") }
    }

    /// The size of the frame at the start of `bytes` and of its content.
    ///
    /// - Returns: nil where the bytes end before the frame does.
    static func measure(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> (compressed: Int, content: Int)? {
        guard bytes.count >= 4 else { return nil }
        let magic = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard magic == ZSTD_MAGICNUMBER else { throw Malformed("a frame does not start as zstd frames do") }
        let content = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
        if content == ZSTD_CONTENTSIZE_ERROR { return nil }
        guard content <= UInt64(contentBytes) else {
            throw Malformed("a frame does not say that it holds 4 MiB or less")
        }
        let compressed = ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
        if ZSTD_isError(compressed) != 0 {
            guard ZSTD_getErrorCode(compressed) == ZSTD_error_srcSize_wrong else {
                throw Malformed("zstd says: \(String(cString: ZSTD_getErrorName(compressed)))")
            }
            return nil
        }
        return (compressed, Int(content))
    }

    /// Where the frames of a whole blob lie. Nothing is decompressed, so a bomb is seen before it goes off.
    static func frames(in bytes: UnsafeRawBufferPointer) throws(Malformed) -> [Frame] {
        var frames: [Frame] = []
        var position = 0
        var content = 0
        while position < bytes.count {
            guard let size = try measure(UnsafeRawBufferPointer(rebasing: bytes[position...])) else {
                throw Malformed("the last frame is cut off")
            }
            guard size.content > 0 || (position == 0 && size.compressed == bytes.count) else {
                throw Malformed("a frame among others is empty")
            }
            frames.append(
                Frame(compressed: position..<position + size.compressed, content: content..<content + size.content))
            position += size.compressed
            content += size.content
        }
        guard !frames.isEmpty else { throw Malformed("the file is empty") }
        return frames
    }
}

/// zstd contexts, reused because making one costs more than compressing a small blob.
private final class Contexts: Sendable {
    static let compressors = Contexts { ZSTD_createCCtx() }
    static let decompressors = Contexts { ZSTD_createDCtx() }

    /// A context is used by one thread at a time: whoever took it.
    private struct Idle: @unchecked Sendable { var contexts: [OpaquePointer] = [] }

    private let idle = Mutex(Idle())
    private let make: @Sendable () -> OpaquePointer?

    private init(_ make: @escaping @Sendable () -> OpaquePointer?) { self.make = make }

    func take() -> OpaquePointer {
        if let context = idle.withLock({ $0.contexts.popLast() }) { return context }
        guard let context = make() else { fatalError("out of memory for a zstd context") }
        return context
    }

    func give(_ context: OpaquePointer) {
        let wrapped = Idle(contexts: [context])
        idle.withLock { $0.contexts.append(contentsOf: wrapped.contexts) }
    }
}
