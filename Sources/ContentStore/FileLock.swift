import Glibc
import Synchronization

/// An exclusive lock on a file, held by this process until released, or until the process ends in whatever way.
///
/// These are `flock` locks: the system drops them with the process, so none is ever left behind by a crash.
final class FileLock: Sendable {
    private let descriptor: Mutex<Int32?>

    private init(_ raw: Int32) { descriptor = Mutex(raw) }

    deinit { release() }

    /// Waits for the lock.
    static func acquire(_ path: String) throws(ContentStoreError) -> FileLock {
        guard let lock = try take(path, LOCK_EX) else { throw FileSystem.failure("locking", path, EWOULDBLOCK) }
        return lock
    }

    /// The lock, or nil where another process (or another part of this one) holds it.
    static func acquireIfFree(_ path: String) throws(ContentStoreError) -> FileLock? {
        try take(path, LOCK_EX | LOCK_NB)
    }

    func release() { end { _ in } }

    /// Whether `path` still names the locked file; false once released.
    func isNamed(_ path: String) -> Bool {
        descriptor.withLock { raw in raw.map { FileLock.is($0, named: path) } ?? false }
    }

    /// Whether something has been written into the locked file.
    func hasContent(_ path: String) throws(ContentStoreError) -> Bool {
        var status = stat()
        guard fstat(open(path), &status) == 0 else { throw FileSystem.failure("examining", path) }
        return status.st_size > 0
    }

    /// Writes something into the locked file for others to read.
    func replaceContent(_ path: String, _ bytes: [UInt8]) throws(ContentStoreError) {
        let raw = open(path)
        // A new file is empty, which is what nearly all of them are.
        if try hasContent(path), ftruncate(raw, 0) != 0 { throw FileSystem.failure("writing", path) }
        try FileSystem.write(bytes, to: raw, path)
    }

    private func open(_ path: String) -> Int32 {
        guard let raw = descriptor.withLock({ $0 }) else { preconditionFailure("the lock on \(path) was released") }
        return raw
    }

    /// Removes the lock's file, still holding the lock, then gives it up. A file that somebody else has put in its place
    /// stays.
    func release(removing path: String) { end { if FileLock.is($0, named: path) { _ = unlink(path) } } }

    private func end(_ last: (Int32) -> Void) {
        descriptor.withLock { raw in
            guard let open = raw else { return }
            last(open)
            _ = close(open)
            raw = nil
        }
    }

    private static func `is`(_ raw: Int32, named path: String) -> Bool {
        var held = stat()
        var named = stat()
        return fstat(raw, &held) == 0 && lstat(path, &named) == 0 && held.st_ino == named.st_ino
            && held.st_dev == named.st_dev
    }

    /// Locks an open file.
    static func hold(_ raw: Int32, _ operation: Int32, _ path: String) throws(ContentStoreError) {
        while flock(raw, operation) != 0 {
            if errno != EINTR { throw FileSystem.failure("locking", path) }
        }
    }

    private static func take(_ path: String, _ operation: Int32) throws(ContentStoreError) -> FileLock? {
        while true {
            let raw = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard raw >= 0 else { throw FileSystem.failure("opening", path) }
            do throws(ContentStoreError) {
                try hold(raw, operation, path)
            } catch {
                _ = close(raw)
                if error.errno == EWOULDBLOCK { return nil }
                throw error
            }
            // Whoever held it may have removed the file meanwhile; then this lock guards nothing.
            if FileLock.is(raw, named: path) { return FileLock(raw) }
            _ = close(raw)
        }
    }
}
