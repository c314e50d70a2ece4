import Glibc
import NIOCore

/// A part of a file as buffers, read as they are asked for.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// The file ended early, or could not be read.
    struct Unreadable: Error {
        let path: String
        let problem: String
    }

    private static let chunkBytes = 256 << 10

    let path: String
    let offset: Int
    let count: Int
    let onChunk: @Sendable (_ isLast: Bool) -> Void

    /// All of the part at once.
    static func buffer(path: String, offset: Int, count: Int) throws -> ByteBuffer {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(path: path, problem: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.readableBytes < count {
            let left = count - buffer.readableBytes
            let position = offset + buffer.readableBytes
            let read = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: left) { target in
                Swift.max(0, pread(descriptor, target.baseAddress, left, off_t(position)))
            }
            guard read > 0 else { throw Unreadable(path: path, problem: "it is shorter than it was") }
        }
        return buffer
    }

    func makeAsyncIterator() -> Iterator { Iterator(self) }

    final class Iterator: AsyncIteratorProtocol {
        private let chunks: FileChunks
        private var descriptor: Int32 = -1
        private var done = 0

        init(_ chunks: FileChunks) { self.chunks = chunks }

        deinit { if descriptor >= 0 { close(descriptor) } }

        func next() async throws -> ByteBuffer? {
            guard done < chunks.count else { return nil }
            if descriptor < 0 {
                descriptor = open(chunks.path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
            }
            let wanted = Swift.min(FileChunks.chunkBytes, chunks.count - done)
            var buffer = ByteBufferAllocator().buffer(capacity: wanted)
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { target in
                Swift.max(0, pread(descriptor, target.baseAddress, wanted, off_t(chunks.offset + done)))
            }
            guard count > 0 else { throw failure("it is shorter than it was") }
            done += count
            chunks.onChunk(done == chunks.count)
            return buffer
        }

        private func failure(_ problem: String) -> Unreadable { Unreadable(path: chunks.path, problem: problem) }
    }
}
