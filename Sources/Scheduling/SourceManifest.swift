import CanonicalJSON
import ContentStore
import StageGraph

/// A path told apart by its bytes: Swift takes texts for equal that only look alike.
struct BytePath: Hashable, Comparable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (a: BytePath, b: BytePath) -> Bool { compareUTF8(a.text, b.text) == 0 }
    static func < (a: BytePath, b: BytePath) -> Bool { compareUTF8(a.text, b.text) < 0 }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

/// What is in a source directory: the digests of its files. The digest of its encoding is the directory's in keys.
struct SourceManifest: Equatable {
    /// By path in the directory.
    let files: [BytePath: Digest]

    private static let domain = "retort.source-directory/1"

    init(_ files: [BytePath: FileContent]) { self.files = files.mapValues(\.digest) }

    /// The canonical encoding. O(size).
    var encoded: [UInt8] {
        var encoder = SourceManifest.header(count: files.count)
        for (path, digest) in files.sorted(by: { $0.key < $1.key }) {
            encoder.field("path", path.text)
            encoder.field("digest", digest)
        }
        return encoder.bytes
    }

    /// Reads what ``encoded`` wrote; nil for anything else. O(size).
    init?(encoded: [UInt8]) {
        // Of the canonical encoding only the lengths vary here, so what stands between them is known.
        let (path, digest) = (Array("F\u{4}\0\0\0\0\0\0\0paths".utf8), Array("F\u{6}\0\0\0\0\0\0\0digestd".utf8))
        var files: [BytePath: Digest] = [:]
        var position = SourceManifest.header(count: 0).bytes.count
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= encoded.count - position else { return nil }
            defer { position += count }
            return encoded[position..<position + count]
        }
        while position < encoded.count {
            guard take(path.count)?.elementsEqual(path) == true, let length = take(8),
                let name = take(length.reversed().reduce(0) { $0 &<< 8 | Int($1) }),
                take(digest.count)?.elementsEqual(digest) == true, let content = take(32),
                let value = Digest(bytes: Array(content))
            else { return nil }
            files[BytePath(String(decoding: name, as: UTF8.self))] = value
        }
        self.files = files
        guard self.encoded == encoded else { return nil }
    }

    private static func header(count: Int) -> CanonicalEncoder {
        var encoder = CanonicalEncoder(domain: domain)
        encoder.list("files", count: count)
        return encoder
    }

    /// Which files came, went or differ.
    func changes(since old: SourceManifest) -> FileChanges {
        let common = files.keys.filter { old.files[$0] != nil }
        return FileChanges(
            changed: common.filter { old.files[$0] != files[$0] }.map(\.text),
            added: files.keys.filter { old.files[$0] == nil }.map(\.text),
            removed: old.files.keys.filter { files[$0] == nil }.map(\.text))
    }
}
