/// Room for one frame and its content.
final class Piece {
    private let contentStorage: UnsafeMutableRawBufferPointer
    private let frameStorage: UnsafeMutableRawBufferPointer
    private var contentCount = 0
    private var frameCount = 0

    init() {
        contentStorage = .allocate(byteCount: ZstdFrames.contentBytes, alignment: 64)
        frameStorage = .allocate(byteCount: ZstdFrames.bound(ZstdFrames.contentBytes), alignment: 64)
    }

    deinit {
        contentStorage.deallocate()
        frameStorage.deallocate()
    }

    var content: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: contentStorage[..<contentCount]) }
    var frame: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: frameStorage[..<frameCount]) }

    func fill(_ read: (UnsafeMutableRawBufferPointer) throws -> Int) throws {
        contentCount = try read(contentStorage)
    }

    func compress(level: Int32) {
        frameCount = ZstdFrames.compress(content, into: frameStorage, level: level)
    }

    /// Takes a frame and the size its content will have.
    func take(frame bytes: UnsafeRawBufferPointer, contentCount: Int) {
        frameStorage.copyMemory(from: bytes)
        frameCount = bytes.count
        self.contentCount = contentCount
    }

    func decompress() throws(ZstdFrames.Malformed) {
        try ZstdFrames.decompress(frame, into: UnsafeMutableRawBufferPointer(rebasing: contentStorage[..<contentCount]))
    }
}

/// Cuts a file into frames without holding more than one of them.
struct FrameReader {
    private let buffer = Buffer(count: 2 * ZstdFrames.bound(ZstdFrames.contentBytes))
    private var available = 0..<0
    private var ended = false
    private var frames = 0

    /// Copies the next frame into `piece`. Returns the size of its content, nil at the end of the file.
    mutating func next(from descriptor: Int32, _ path: String, into piece: Piece) throws -> Int? {
        while true {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.storage[available])
            let size = try BlobFile.measured { () throws(ZstdFrames.Malformed) in try ZstdFrames.measure(bytes) }
            if let size {
                guard size.compressed <= ZstdFrames.bound(ZstdFrames.contentBytes) else {
                    throw BlobFile.Refusal.damaged("a frame is larger than its content allows")
                }
                guard size.content > 0 || frames == 0 else {
                    throw BlobFile.Refusal.damaged("a frame among others is empty")
                }
                piece.take(
                    frame: UnsafeRawBufferPointer(rebasing: bytes[..<size.compressed]), contentCount: size.content)
                available = available.lowerBound + size.compressed..<available.upperBound
                frames += 1
                return size.content
            }
            guard !ended else {
                if available.isEmpty && frames > 0 { return nil }
                throw BlobFile.Refusal.damaged(frames == 0 ? "the file is empty" : "the last frame is cut off")
            }
            guard available.count < buffer.storage.count else {
                throw BlobFile.Refusal.damaged("a frame is larger than its content allows")
            }
            try refill(descriptor, path)
        }
    }

    private mutating func refill(_ descriptor: Int32, _ path: String) throws {
        let kept = available.count
        if kept > 0, available.lowerBound > 0 {
            buffer.storage.baseAddress!.copyMemory(
                from: buffer.storage.baseAddress! + available.lowerBound, byteCount: kept)
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer.storage[kept...])
        let count = try FileSystem.read(descriptor, into: room, path)
        ended = count < room.count
        available = 0..<kept + count
    }

    private final class Buffer {
        let storage: UnsafeMutableRawBufferPointer
        init(count: Int) { storage = .allocate(byteCount: count, alignment: 64) }
        deinit { storage.deallocate() }
    }
}
