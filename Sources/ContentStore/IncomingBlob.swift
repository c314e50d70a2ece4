/// Verifies a blob while its file arrives, so that it need not be read again afterwards.
///
/// It follows zstd frames as this store writes them, and holds one of them, of at most 4 MiB of content, at a time.
/// Anything else is left to a closer look at the file: not intact here does not mean damaged.
///
/// Sendable unchecked: the pieces of one file come one at a time.
public final class IncomingBlob: @unchecked Sendable {
    private let digest: Digest
    private let limit: Int
    private var pending: [UInt8] = []
    /// Up to where `pending` has been used.
    private var position = 0
    private var content: [UInt8] = []
    private var hasher = Hasher256()
    private var total = 0
    private var frames = 0
    private var isFollowed = true
    /// How many bytes of the file have come.
    public private(set) var received = 0

    /// - Parameter limit: The promised size of the content: nothing larger is decompressed.
    public init(_ digest: Digest, limit: Int) {
        self.digest = digest
        self.limit = limit
    }

    /// Starts anew, for another attempt.
    public func restart() {
        (pending, position, hasher, total, frames, isFollowed, received) = ([], 0, Hasher256(), 0, 0, true, 0)
    }

    /// The next bytes of the file.
    public func receive(_ bytes: UnsafeRawBufferPointer) {
        received += bytes.count
        guard isFollowed else { return }
        if position > 0 {
            pending.removeFirst(position)
            position = 0
        }
        pending.append(contentsOf: bytes)
        do {
            while try takeFrame() {}
            // No frame of ours is larger, so these are others'.
            if pending.count - position > ZstdFrames.bound(ZstdFrames.contentBytes) { isFollowed = false }
        } catch {
            isFollowed = false
        }
        if !isFollowed { (pending, content) = ([], []) }
    }

    /// Whether all that has arrived is exactly the content of the digest.
    public func isIntact() -> Bool {
        isFollowed && position == pending.count && frames > 0 && hasher.finalize() == digest
    }

    private func takeFrame() throws -> Bool {
        try pending.withUnsafeBytes { buffer in
            let rest = UnsafeRawBufferPointer(rebasing: buffer[position...])
            guard let size = try ZstdFrames.measure(rest) else { return false }
            // An empty frame stands alone, and nothing stands after it.
            guard size.content > 0 || frames == 0, total + size.content <= limit, !(frames == 1 && total == 0) else {
                throw ZstdFrames.Malformed("not as this store writes frames")
            }
            if content.count < size.content { content = [UInt8](repeating: 0, count: size.content) }
            try content.withUnsafeMutableBytes { target in
                let target = UnsafeMutableRawBufferPointer(rebasing: target[..<size.content])
                try ZstdFrames.decompress(UnsafeRawBufferPointer(rebasing: rest[..<size.compressed]), into: target)
                hasher.update(UnsafeRawBufferPointer(target))
            }
            total += size.content
            frames += 1
            position += size.compressed
            return true
        }
    }
}
