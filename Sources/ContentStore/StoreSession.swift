import Glibc

/// What one process holds of a store while it writes to it: a folder for temporary files, locked for its lifetime.
///
/// A folder whose lock is free belongs to a process that died; the next session to start removes it.
final class StoreSession: Sendable {
    /// Of this process alone.
    let folder: String
    /// The folder's own name.
    let name: String
    let uses: UseLog
    private let lock: FileLock
    private let heartbeat: Heartbeat
    private let layout: StoreLayout

    init(_ layout: StoreLayout, _ timing: LeaseTiming) throws(ContentStoreError) {
        // Starting and cleaning exclude each other, so that a folder just made is never taken for a dead one.
        self.layout = layout
        let starting = try FileLock.acquire(layout.sessionsLock)
        try StoreSession.removeDead(layout)
        name = StoreSession.uniqueName()
        folder = "\(layout.temporary)/\(name)"
        try FileSystem.makeFolder(folder)
        lock = try FileLock.acquire("\(folder)/lock")
        uses = try UseLog(layout, session: folder)
        heartbeat = try Heartbeat(at: "\(folder)/\(Heartbeat.name)", every: timing.beatInterval)
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
        removeLeasesOfTheDead(layout)
    }

    /// Removes the files of leases that nobody holds: a process that ends in order leaves none.
    private static func removeLeasesOfTheDead(_ layout: StoreLayout) {
        for name in (try? FileSystem.names(in: layout.leases)) ?? [] {
            let path = "\(layout.leases)/\(name)"
            guard let lock = try? FileLock.acquireIfFree(path) else { continue }
            let holder = (try? FileSystem.contents(of: path, limit: 1 << 12)) ?? []
            if holder.isEmpty || Machine.wrote(holder) { lock.release(removing: path) } else { lock.release() }
        }
    }

    /// The same while the caller holds the collector's lock and that of the sessions.
    static func removeDead(_ paths: [String]) {
        for path in paths {
            guard (try? FileSystem.status(of: path))?.kind == .directory else {
                _ = unlink(path)
                continue
            }
            if let lock = try? FileLock.acquireIfFree("\(path)/lock") {
                if !mayLiveElsewhere(path) { removeFolder(path) }
                lock.release()
            }
        }
    }

    /// For how long, in nanoseconds, the heart of a session on another machine must not have beaten to count as dead.
    private static let silence = 600 * 1_000_000_000

    /// Whether the session is one of another machine, whose locks may not be seen here, and its heart has beaten lately.
    /// Both times compared are the file system's own.
    private static func mayLiveElsewhere(_ path: String) -> Bool {
        let heartbeat = "\(path)/\(Heartbeat.name)"
        guard let beat = try? Heartbeat.read(heartbeat), !Machine.wrote(beat),
            let last = try? FileSystem.status(of: heartbeat)?.modified
        else { return false }
        let probe = "\(path)/clock-\(uniqueName())"
        defer { _ = unlink(probe) }
        guard (try? FileSystem.create(probe, UnsafeRawBufferPointer(start: nil, count: 0))) != nil,
            let now = try? FileSystem.status(of: probe)?.modified
        else { return true }
        return now - last < silence
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
