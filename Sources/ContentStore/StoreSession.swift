import Glibc

/// What one process holds of a store while it writes to it: a folder for temporary files, locked for its lifetime.
///
/// A folder whose lock is free belongs to a process that died; the next session to start removes it.
final class StoreSession: Sendable {
    /// Of this process alone.
    let folder: String
    private let lock: FileLock

    init(_ layout: StoreLayout) throws(ContentStoreError) {
        // Starting and cleaning exclude each other, so that a folder just made is never taken for a dead one.
        let starting = try FileLock.acquire("\(layout.local)/sessions.lock")
        try StoreSession.removeDead(in: layout.temporary)
        folder = "\(layout.temporary)/\(StoreSession.uniqueName())"
        try FileSystem.makeFolder(folder)
        lock = try FileLock.acquire("\(folder)/lock")
        starting.release()
    }

    deinit {
        StoreSession.removeFolder(folder)
        lock.release()
    }

    private static func removeDead(in temporary: String) throws(ContentStoreError) {
        for name in try FileSystem.names(in: temporary) ?? [] {
            let path = "\(temporary)/\(name)"
            guard try FileSystem.status(of: path)?.kind == .directory else {
                _ = unlink(path)
                continue
            }
            if let lock = try FileLock.acquireIfFree("\(path)/lock") {
                removeFolder(path)
                lock.release()
            }
        }
    }

    /// Removes a session's folder. What cannot be removed now is left to the next session.
    private static func removeFolder(_ path: String) {
        let names = (try? FileSystem.names(in: path)) ?? []
        // The lock goes last: until then the folder still reads as what it is.
        for name in names where name != "lock" { try? DirectoryWalk.remove("\(path)/\(name)") }
        _ = unlink("\(path)/lock")
        _ = rmdir(path)
    }

    /// Names need only differ; they never enter any content.
    private static func uniqueName() -> String {
        var generator = SystemRandomNumberGenerator()
        let random = String(generator.next(), radix: 16)
        return "\(getpid())-" + String(repeating: "0", count: 16 - random.utf8.count) + random
    }
}
