import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// The files and directories that parameters name, identified by content.
final class SourceFiles: Sendable {
    private let cache: StatCache
    private let contents = Mutex<[String: SourceContent]>([:])

    init(store: LocalStore) throws { cache = try StatCache(for: store) }

    /// The digest of a source's content: of the file, or of the manifest of the directory.
    ///
    /// - Throws: ``SourceError`` naming the file and the place in the pipeline file.
    func digest(of source: SourcePath) throws -> Digest {
        let content: SourceContent
        do {
            content = source.isDirectory ? try directory(source.path) : .file(try cache.content(of: source.path))
        } catch {
            throw SourceError(source, "\(error)")
        }
        contents.withLock { $0[source.path] = content }
        return content.digest
    }

    /// A text or a list of files larger than this is not kept for explanations.
    static let keptTextBytes = 256 << 10

    /// Keeps the small files among a stage's sources in the store, and the lists of what is in its directories, so that a
    /// later plan can say how many lines or which files differ. Only a help: what cannot be kept is left out.
    ///
    /// - Returns: Their digests, which are the ones in the key.
    func keepTexts(of node: StageNode, in store: LocalStore) -> [Digest] {
        node.parameters.sources.compactMap { source in
            guard let text = text(of: source), text.count <= SourceFiles.keptTextBytes else { return nil }
            return try? store.write(text)
        }
    }

    private func text(of source: SourcePath) -> [UInt8]? {
        switch content(of: source) {
        case .file(let content):
            guard content.bytes <= SourceFiles.keptTextBytes,
                let bytes = try? SourceDirectory.read(source.path, limit: content.bytes),
                Digest(of: bytes) == content.digest
            else { return nil }
            return bytes
        case .directory(let files): return SourceManifest(files).encoded
        case nil: return nil
        }
    }

    /// What a file is now, read again only where it may have changed.
    func content(ofFile path: String) throws -> FileContent { try cache.content(of: path) }

    func digest(ofProgram path: String) throws -> Digest { try cache.content(of: path).digest }

    /// What ``digest(of:)`` found.
    func content(of source: SourcePath) -> SourceContent? { contents.withLock { $0[source.path] } }

    /// Keeps the digests for the next run. They only spare time: failing to write them is no error.
    func save() { try? cache.save() }

    private func directory(_ path: String) throws -> SourceContent {
        let files = try SourceDirectory.files(in: path)
        return .directory(
            try Dictionary(
                uniqueKeysWithValues: files.map { (BytePath($0), try cache.content(of: "\(path)/\($0)")) }))
    }
}

/// What a source was when its digest was taken.
enum SourceContent: Sendable {
    case file(FileContent)
    /// By path in the directory.
    case directory([BytePath: FileContent])

    var digest: Digest {
        switch self {
        case .file(let content): return content.digest
        case .directory(let files): return Digest(of: SourceManifest(files).encoded)
        }
    }
}

/// A source that cannot be read, or that changed.
struct SourceError: Error, CustomStringConvertible {
    let description: String

    init(_ source: SourcePath, _ problem: String) {
        let place = source.location.map { "\($0): " } ?? ""
        description = "\(place)parameter \"\(source.role)\": \(problem)"
    }
}
