import Glibc
import NIOCore
import NIOPosix

/// A part of a file on its way to a server: one piece at a time, so that memory stays bounded.
///
/// Used on its connection's event loop alone.
final class Upload {
    /// The file ended early, or could not be read.
    struct Unreadable: Error {
        let path: String
        let problem: String
    }

    private let path: String
    private let file: NIOFileHandle
    private let end: Int
    private let pieceBytes: Int
    private var position: Int

    /// - Throws: ``Unreadable``
    init(path: String, offset: Int, count: Int, pieceBytes: Int) throws {
        self.path = path
        self.pieceBytes = pieceBytes
        position = offset
        end = offset + count
        file = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: try Self.open(path))
    }

    /// The next piece; nil when all are on their way.
    func next() throws -> FileRegion? {
        guard position < end else { return nil }
        let piece = FileRegion(fileHandle: file, readerIndex: position, endIndex: min(end, position + pieceBytes))
        var status = stat()
        let isThere = try file.withUnsafeFileDescriptor { fstat($0, &status) == 0 }
        guard isThere, Int(status.st_size) >= piece.endIndex else {
            throw Unreadable(path: path, problem: "it is shorter than it was")
        }
        position = piece.endIndex
        return piece
    }

    func close() { try? file.close() }

    /// All of a part of a file at once.
    static func whole(path: String, offset: Int, count: Int) throws -> ByteBuffer {
        let descriptor = try open(path)
        defer { _ = Glibc.close(descriptor) }
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

    private static func open(_ path: String) throws -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(path: path, problem: String(cString: strerror(errno))) }
        return descriptor
    }
}
