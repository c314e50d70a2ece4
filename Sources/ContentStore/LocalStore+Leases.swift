import Glibc

/// The right to run an action, held by one process (or one store object) at a time.
///
/// It ends when released, when the last reference goes, when the process dies, or when the process has shown no sign of
/// life for so long that another took the lease over. Two holders at once, should it come to that, compute the same
/// action twice and publish two valid results, one after the other: they never spoil each other's.
public final class ActionLease: Sendable {
    public let key: Digest
    private let lock: FileLock
    private let path: String

    init(key: Digest, lock: FileLock, path: String) {
        self.key = key
        self.lock = lock
        self.path = path
    }

    deinit { release() }

    /// Whether nobody has taken the lease over.
    public var isHeld: Bool { lock.isNamed(path) }

    public func release() {
        // Removed while held, so that nobody else's lock goes with it.
        lock.release(removing: path)
    }
}

extension LocalStore {
    /// The right to run the action `key`, or nil where another holds it, or may hold it.
    ///
    /// Look the key up again once you have the lease: who held it before may have published its result.
    public func lease(_ key: Digest) throws -> ActionLease? {
        guard case .taken(let lease) = try claim(key) else { return nil }
        return lease
    }

    /// Waits until whoever holds the action `key` has done, died, or gone without a heartbeat for too long; then holds it.
    ///
    /// No thread is blocked meanwhile.
    ///
    /// - Throws: `CancellationError`; ``ContentStoreError`` as ``lease(_:)``.
    public func awaitLease(_ key: Digest) async throws -> ActionLease {
        var watch = LeaseWatch(expiry: timing.expiry)
        let clock = SuspendingClock()
        var pause = Duration.milliseconds(2)
        while true {
            switch try claim(key) {
            case .taken(let lease): return lease
            case .held(let sight):
                if watch.look(sight, at: clock.now), let lease = try takeOver(key, sight) { return lease }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    private enum Claim {
        case taken(ActionLease)
        case held(LeaseWatch.Sight)
    }

    private func claim(_ key: Digest) throws -> Claim {
        let session = try writing()
        let path = layout.lease(key)
        guard let lock = try FileLock.acquireIfFree(path) else { return .held(try sight(of: path)) }
        // The system gives a lock free when its holder on this machine dies. Of other machines it may know nothing, on
        // some network file systems, so their leases are watched.
        if try lock.hasContent(path) {
            let sight = try sight(of: path)
            if !Machine.wrote(sight.holder), sight.beat != nil {
                lock.release()
                return .held(sight)
            }
        }
        try lock.replaceContent(path, Array("\(Machine.identity) \(session.name)\n".utf8))
        return .taken(ActionLease(key: key, lock: lock, path: path))
    }

    /// Takes the lease of a holder that is as good as dead, unless it has changed since it was seen.
    private func takeOver(_ key: Digest, _ seen: LeaseWatch.Sight) throws -> ActionLease? {
        let path = layout.lease(key)
        // One at a time, or the second would take it from the first.
        let taking = try FileLock.acquire(layout.leasesLock)
        defer { taking.release() }
        guard try sight(of: path) == seen else { return nil }
        // The old holder keeps its lock on a file without a name, and sees that when it is done.
        try FileSystem.remove(path)
        return try lease(key)
    }

    private func sight(of path: String) throws -> LeaseWatch.Sight {
        guard let (holder, status) = try FileSystem.contentsAndStatus(of: path, limit: 1 << 12) else {
            return LeaseWatch.Sight(inode: 0, holder: [], beat: nil)
        }
        let session = String(decoding: holder, as: UTF8.self).split(whereSeparator: \.isWhitespace).last ?? ""
        let isName = !session.isEmpty && !session.contains("/") && !session.hasPrefix(".")
        return LeaseWatch.Sight(
            inode: status.inode, holder: holder,
            beat: isName ? try Heartbeat.read("\(layout.temporary)/\(session)/\(Heartbeat.name)") : nil)
    }
}
