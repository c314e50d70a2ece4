import Glibc

/// What one process holds of a store while it writes to it: a folder for temporary files, locked for its lifetime.
///
/// A folder whose lock is free belongs to a process that died; the next session to start removes it.
final class StoreSession: Sendable {
    /// Of this process alone.
    let folder: String
    let uses: UseLog
    private let lock: FileLock
    private let layout: StoreLayout

    init(_ layout: StoreLayout) throws(ContentStoreError) {
        // Starting and cleaning exclude each other, so that a folder just made is never taken for a dead one.
        self.layout = layout
        let starting = try FileLock.acquire(layout.sessionsLock)
        try StoreSession.removeDead(layout)
        folder = "\(layout.temporary)/\(StoreSession.uniqueName())"
        try FileSystem.makeFolder(folder)
        lock = try FileLock.acquire("\(folder)/lock")
        uses = try UseLog(layout, session: folder)
        starting.release()
    }

    deinit {
        StoreSession.unlessCollecting(layout) { StoreSession.removeFolder(folder) }
        lock.release()
    }

    /// Removes the folders of sessions whose processes have died.
    private static func removeDead(_ layout: StoreLayout) throws(ContentStoreError) {
        let names = try FileSystem.names(in: layout.temporary) ?? []
        guard !names.isEmpty else { return }
        unlessCollecting(layout) { removeDead(names.map { "\(layout.temporary)/\($0)" }) }
    }

    /// The same while the caller holds the collector's lock and that of the sessions.
    static func removeDead(_ paths: [String]) {
        for path in paths {
            guard (try? FileSystem.status(of: path))?.kind == .directory else {
                _ = unlink(path)
                continue
            }
            if let lock = try? FileLock.acquireIfFree("\(path)/lock") {
                removeFolder(path)
                lock.release()
            }
        }
    }

    /// A collection under way relies on the logs of sessions that ended meanwhile, so they are left to the next session.
    private static func unlessCollecting(_ layout: StoreLayout, _ body: () -> Void) {
        guard let lock = try? FileLock.acquireIfFree(layout.collectorLock) else { return }
        body()
        lock.release()
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
