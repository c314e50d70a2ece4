import Dispatch
import Glibc

/// The write-ahead log of an SQLite file, which is made durable apart from the transactions that fill it.
///
/// A committed transaction has been written to the log and survives the end of the process. The power may fail as well:
/// for that the log has to reach the disk, which takes milliseconds. SQLite would wait for the disk within each
/// transaction and keep the next ones out meanwhile; here transactions go on. A checkpoint that moves what is in the log
/// to the database synchronises both by itself.
final class WriteAheadLog: Sendable {
    private let path: String
    private let file: Int32
    private let queue = DispatchQueue(label: "ResponseLedger.log")

    /// - Parameter database: the SQLite file; while it is open its log is never replaced.
    /// - Throws: ``LedgerError``.
    init(of database: String) throws(LedgerError) {
        path = database
        file = open(database + "-wal", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.error(database, "cannot open") }
    }

    deinit { close(file) }

    /// Returns when everything that was committed before is durable.
    ///
    /// - Throws: ``LedgerError``.
    func synchronize() throws(LedgerError) {
        while fdatasync(file) != 0 {
            guard errno == EINTR else { throw Self.error(path, "cannot synchronise") }
        }
    }

    /// The same on a thread of its own.
    func synchronize(completion: @escaping @Sendable (Result<Void, any Error>) -> Void) {
        queue.async { completion(Result { try self.synchronize() }) }
    }

    private static func error(_ database: String, _ problem: String) -> LedgerError {
        let code = errno
        return LedgerError(
            code == ENOSPC || code == EDQUOT ? .full : .other, path: database,
            cause: "\(problem) the log \(database)-wal: \(String(cString: strerror(code)))")
    }
}
