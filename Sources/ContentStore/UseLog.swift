import Glibc
import Synchronization

/// What a session relies upon: every digest it looked up, found present or wrote, on the disk before it relies on it.
///
/// A collection removes nothing that is in the log of any session. The two meet at the *gate*: a session records and
/// checks that a file exists while it holds the gate together with others, a collection reads the logs and removes
/// files while it holds the gate alone. So what a session has found present stays present until it ends.
final class UseLog: Sendable {
    /// The file's name in a session's folder: digests of 32 bytes each, one after another.
    static let name = "uses"

    private struct State {
        /// What need not be written again: the latest, so that memory stays bounded however much a session uses.
        var recorded: Set<Digest> = []
    }

    /// How many digests are remembered as written. One that is forgotten is written once more, which changes nothing.
    private static let remembered = 1 << 15

    private let path: String
    private let log: Int32
    private let gate: Int32
    private let gatePath: String
    private let state = Mutex(State())

    init(_ layout: StoreLayout, session folder: String) throws(ContentStoreError) {
        path = "\(folder)/\(UseLog.name)"
        gatePath = layout.gate
        log = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        gate = Glibc.open(gatePath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard log >= 0, gate >= 0 else { throw FileSystem.failure("opening", log < 0 ? path : gatePath) }
    }

    deinit {
        _ = close(log)
        _ = close(gate)
    }

    /// Records `digests`, then runs `check`, with no collection between the two.
    func protect<Value: Sendable>(_ digests: [Digest], check: () throws -> Value) throws -> Value {
        try state.withLock { state in
            try FileLock.hold(gate, LOCK_SH, gatePath)
            defer { flock(gate, LOCK_UN) }
            var bytes: [UInt8] = []
            var new: [Digest] = []
            for digest in digests where !state.recorded.contains(digest) {
                new.append(digest)
                digest.withRawBytes { bytes.append(contentsOf: $0) }
            }
            if !bytes.isEmpty {
                try append(bytes)
                if state.recorded.count + new.count > UseLog.remembered { state.recorded = [] }
                if new.count <= UseLog.remembered { state.recorded.formUnion(new) }
            }
            return try check()
        }
    }

    private func append(_ bytes: [UInt8]) throws(ContentStoreError) {
        do throws(ContentStoreError) {
            try FileSystem.write(bytes, to: log, path)
        } catch {
            // Whoever reads the log takes 32 bytes at a time: what a full disk cut off must not shift what comes next.
            // Whole digests stay, because they may have been read already.
            var status = stat()
            if fstat(log, &status) == 0, status.st_size % 32 != 0 {
                _ = ftruncate(log, status.st_size / 32 * 32)
            }
            throw error
        }
    }
}
