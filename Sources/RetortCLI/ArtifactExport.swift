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
        guard try replaces || FileSystem.status(of: destination) == nil else { throw Occupied(path: destination) }
        let (folder, beginning) = (FileSystem.folder(of: destination), Self.stagedBeginning(for: destination))
        let staged = "\(folder)/\(beginning)\(getpid())"
        do {
            store.fetchAhead(artifact)
            try FileSystem.makeFolders(folder)
            try removeLeftovers(beginning, in: folder)
            switch layout {
            case .records: try writeRecords(to: staged, compressed: destination.hasSuffix(".zst"))
            case .tensors: try writeTensors(to: staged)
            case .tree: try store.readTree(artifact, to: staged)
            }
            try FileSystem.synchronizeFileSystem(of: folder)
            try publish(staged, at: destination)
        } catch {
            try? DirectoryWalk.remove(staged)
            guard let error = error as? ContentStoreError, !error.subject.hasPrefix(store.path + "/") else {
                throw error
            }
            throw error.concerning(.export)
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

    /// What is there and the new one change places in one step, where the file system can do that. Elsewhere a file
    /// replaces a file, and a folder goes when the new one is complete beside it.
    private func publish(_ staged: String, at destination: String) throws {
        let old = try FileSystem.status(of: destination)
        let isExchanged = try old != nil && FileSystem.exchange(staged, with: destination)
        if !isExchanged {
            if let old, old.kind == .directory || layout != .records { try DirectoryWalk.remove(destination) }
            try FileSystem.rename(staged, to: destination)
        }
        try FileSystem.synchronize(FileSystem.folder(of: destination))
        if isExchanged { try DirectoryWalk.remove(staged) }
    }

    /// How the name begins under which the new file or folder is completed, beside its place; the process's number
    /// follows.
    private static func stagedBeginning(for destination: String) -> String {
        let name = destination.split(separator: "/").last ?? "root"
        return ".\(name).retort-export-"
    }

    /// What exports to the same place left that were killed.
    private func removeLeftovers(_ beginning: String, in folder: String) throws {
        for name in try FileSystem.names(in: folder) ?? [] where name.hasPrefix(beginning) {
            let digits = name.dropFirst(beginning.count).prefix { $0.isASCII && $0.isNumber }
            guard let process = pid_t(digits), try process == getpid() || isOver(process) else { continue }
            try DirectoryWalk.remove("\(folder)/\(name)")
        }
    }

    private func isOver(_ process: pid_t) throws -> Bool {
        if kill(process, 0) != 0 { return errno == ESRCH }
        // One that nobody has waited for yet is over all the same: "123 (name) Z …".
        let path = "/proc/\(process)/stat"
        guard let file = try FileSystem.openIfPresent(path) else { return true }
        let text = String(decoding: try FileSystem.contents(of: file, path, count: 512), as: UTF8.self)
        return text.split(separator: ")").last?.hasPrefix(" Z") ?? false
    }
}
