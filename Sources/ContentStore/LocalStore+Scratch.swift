import Glibc

/// A folder for one action's temporary files. It goes when the process ends at the latest, however it ends: the next
/// session to start removes what a dead one left.
public struct ScratchDirectory: Sendable {
    public let path: String

    /// Removes the folder and everything in it.
    public func remove() { try? DirectoryWalk.remove(path) }
}

extension LocalStore {
    /// Where this machine keeps what is never shared.
    public var localDirectory: String { layout.local }

    /// A new, empty folder on the store's file system. The path is absolute.
    public func makeScratchDirectory() throws -> ScratchDirectory {
        let path = try temporaryPath()
        try FileSystem.makeFolder(path)
        guard let absolute = realpath(path, nil) else { throw FileSystem.failure("finding", path) }
        defer { free(absolute) }
        return ScratchDirectory(path: String(cString: absolute))
    }
}
