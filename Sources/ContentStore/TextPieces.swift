/// A long text made element by element and handed out in pieces, so that it is never in memory as a whole.
///
/// The manifest of a hundred thousand shards has 16 MB, the list of their keys 11 MB.
package struct TextPieces<Elements: IteratorProtocol>: Sequence, IteratorProtocol {
    /// A piece is handed out once it has so many bytes.
    private static var pieceBytes: Int { 1 << 16 }

    private var opening: [UInt8]
    private var elements: Elements
    private let append: (Elements.Element, _ isFirst: Bool, inout [UInt8]) -> Void
    private var closing: [UInt8]?
    private var isFirst = true

    /// - Parameter append: Appends an element's text, and what stands between it and the one before.
    package init(
        opening: [UInt8], _ elements: Elements, closing: [UInt8],
        append: @escaping (Elements.Element, _ isFirst: Bool, inout [UInt8]) -> Void
    ) {
        self.opening = opening
        self.elements = elements
        self.closing = closing
        self.append = append
    }

    /// The next piece; it is empty only where the whole text is.
    package mutating func next() -> [UInt8]? {
        guard let closing else { return nil }
        var piece = opening
        piece.reserveCapacity(TextPieces.pieceBytes + 512)
        opening = []
        while piece.count < TextPieces.pieceBytes {
            guard let element = elements.next() else {
                self.closing = nil
                return piece + closing
            }
            append(element, isFirst, &piece)
            isFirst = false
        }
        return piece
    }

    /// The whole text.
    ///
    /// - Parameter capacity: About how many bytes it has.
    package func joined(capacity: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity)
        for piece in self { bytes.append(contentsOf: piece) }
        return bytes
    }
}

extension Digest {
    /// The digest of a text that comes in pieces. O(size) time, memory for a piece.
    init(ofPieces pieces: some Sequence<[UInt8]>) {
        var hasher = Hasher256()
        for piece in pieces { piece.withUnsafeBytes { hasher.update($0) } }
        self = hasher.finalize()
    }
}

extension LocalStore {
    /// Keeps content that comes in pieces, with memory for one frame and a piece.
    public func write(pieces: some Sequence<[UInt8]>) throws -> Digest {
        var pieces = pieces.makeIterator()
        var rest: ArraySlice<UInt8> = []
        return try writeStream { buffer in
            var count = 0
            while count < buffer.count {
                if rest.isEmpty {
                    guard let piece = pieces.next() else { break }
                    rest = piece[...]
                }
                let taken = rest.prefix(buffer.count - count)
                taken.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: $0) }
                rest = rest.dropFirst(taken.count)
                count += taken.count
            }
            return count
        }
    }

    /// Keeps the manifest. The blobs it names are the caller's to write first.
    public func write(_ artifact: Artifact) throws {
        if case .shards(let shards) = artifact.content, shards.count > LocalStore.shardsOfSmallManifests {
            _ = try write(pieces: ShardManifest.pieces(artifact.type, shards))
        } else {
            _ = try write(artifact.manifest)
        }
    }

    /// Up to so many shards a manifest is small enough to be made in memory.
    private static let shardsOfSmallManifests = 4096
}
