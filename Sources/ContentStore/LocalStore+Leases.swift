/// The right to run an action, held by one process (or one store object) at a time.
///
/// It ends when released, when the last reference goes, or when the process dies.
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

    public func release() {
        // Removed while held, so that nobody else's lock goes with it.
        lock.release(removing: path)
    }
}

extension LocalStore {
    /// The right to run the action `key`, or nil where another holds it.
    ///
    /// Look the key up again once you have the lease: who held it before may have published its result.
    public func lease(_ key: Digest) throws -> ActionLease? {
        _ = try writing()
        let path = "\(layout.leases)/\(key.hex)"
        guard let lock = try FileLock.acquireIfFree(path) else { return nil }
        return ActionLease(key: key, lock: lock, path: path)
    }

    /// Waits, blocking the thread, until whoever holds the action `key` has done or died, then holds it.
    public func awaitLease(_ key: Digest) throws -> ActionLease {
        _ = try writing()
        let path = "\(layout.leases)/\(key.hex)"
        return ActionLease(key: key, lock: try FileLock.acquire(path), path: path)
    }
}
