import Glibc

/// The regular files under a folder.
package enum DirectoryWalk {
    struct File: Equatable {
        /// Relative to the folder.
        var path: String
        var isExecutable: Bool
    }

    /// All files, in the order of a depth-first walk with the names of each folder sorted.
    ///
    /// - Throws: ``ContentStoreError`` with code `unsupportedFile` for anything but files and folders.
    static func files(under folder: String) throws(ContentStoreError) -> [File] {
        guard let status = try FileSystem.status(of: folder) else {
            throw FileSystem.failure("listing", folder, ENOENT)
        }
        guard status.kind == .directory else { throw FileSystem.failure("listing", folder, ENOTDIR) }
        var files: [File] = []
        var waiting = [""]
        while let relative = waiting.popLast() {
            var folders: [String] = []
            for name in try FileSystem.names(in: "\(folder)/\(relative)") ?? [] {
                let path = relative.isEmpty ? name : "\(relative)/\(name)"
                let full = "\(folder)/\(path)"
                guard let status = try FileSystem.status(of: full) else { throw FileSystem.changedWhileRead(full) }
                switch status.kind {
                case .file: files.append(File(path: path, isExecutable: status.mode & 0o100 != 0))
                case .directory: folders.append(path)
                case .symbolicLink, .other:
                    let kind = status.kind == .symbolicLink ? "a symbolic link" : "neither a file nor a folder"
                    throw ContentStoreError(
                        .unsupportedFile, full, "it is \(kind)", remedy: "replace it by a file, or leave it out")
                }
            }
            waiting.append(contentsOf: folders.reversed())
        }
        return files
    }

    /// Removes a folder and all in it, without following links; one that is not there is fine.
    package static func remove(_ path: String) throws(ContentStoreError) {
        guard let status = try FileSystem.status(of: path) else { return }
        guard status.kind == .directory else { return try FileSystem.remove(path) }
        for name in try FileSystem.names(in: path) ?? [] { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileSystem.failure("removing", path) }
    }
}
