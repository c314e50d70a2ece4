import ContentStore
import Glibc
import StageGraph

/// Writes what a stage made to a place outside of the store, verified: it appears there complete or not at all.
struct ArtifactExport {
    let artifact: Artifact
    let layout: OutputPort.Layout
    let store: LocalStore

    /// Something is at the place already.
    struct Occupied: Error {
        let path: String
    }

    /// Records become one JSON Lines file, compressed where its name ends with .zst; tensors a folder with a safetensors
    /// file a shard, numbered as Hugging Face's are; a tree a folder.
    ///
    /// Memory: one shard, of a tree a few frames.
    ///
    /// - Parameter replaces: whether a file or folder that is there makes way, once the new one is complete.
    /// - Throws: ``Occupied``; ``ContentStoreError``.
    func write(to destination: String, replaces: Bool) throws {
        let there = try FileSystem.status(of: destination)
        guard replaces || there == nil else { throw Occupied(path: destination) }
        try FileSystem.makeFolders(FileSystem.folder(of: destination))
        let staged = "\(destination).export-\(getpid())"
        try DirectoryWalk.remove(staged)
        do {
            switch layout {
            case .records: try writeRecords(to: staged, compressed: destination.hasSuffix(".zst"))
            case .tensors: try writeTensors(to: staged)
            case .tree: try store.readTree(artifact, to: staged)
            }
            try FileSystem.synchronizeFileSystem(of: FileSystem.folder(of: staged))
            try publish(staged, at: destination, removing: there)
        } catch {
            try? DirectoryWalk.remove(staged)
            throw error
        }
    }

    private func writeRecords(to path: String, compressed: Bool) throws {
        let file = try FileSystem.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644, doing: "creating")
        for shard in artifact.shards {
            let lines = try store.read(shard)
            // Frames one after another are one zstd file.
            try (compressed ? Zstandard.compress(lines) : lines).withUnsafeBytes {
                try FileSystem.write($0, to: file.raw, path)
            }
        }
        // An empty file is no zstd file.
        if compressed, artifact.shards.isEmpty {
            try Zstandard.compress([]).withUnsafeBytes { try FileSystem.write($0, to: file.raw, path) }
        }
    }

    private func writeTensors(to folder: String) throws {
        try FileSystem.makeFolder(folder)
        for (index, shard) in artifact.shards.enumerated() {
            let name = "data-\(Self.digits(index + 1))-of-\(Self.digits(artifact.shards.count)).safetensors"
            try store.readFile(shard.digest, limit: shard.bytes, to: "\(folder)/\(name)")
        }
    }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }

    /// A file replaces a file in one step. A folder cannot be replaced so: the old one is put aside, and removed when the
    /// new one is in its place.
    private func publish(_ staged: String, at destination: String, removing old: FileStatus?) throws {
        let folder = FileSystem.folder(of: destination)
        guard let old, old.kind == .directory || layout != .records else {
            try FileSystem.rename(staged, to: destination)
            return try FileSystem.synchronize(folder)
        }
        let aside = "\(destination).replaced-\(getpid())"
        try DirectoryWalk.remove(aside)
        try FileSystem.rename(destination, to: aside)
        do {
            try FileSystem.rename(staged, to: destination)
        } catch {
            try? FileSystem.rename(aside, to: destination)
            throw error
        }
        try FileSystem.synchronize(folder)
        try DirectoryWalk.remove(aside)
    }
}
