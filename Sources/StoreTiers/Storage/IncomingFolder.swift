import ContentStore
import Glibc
import Synchronization

/// Where the objects of a directory lie until they are complete.
///
/// What a push left there that was killed goes when somebody writes a day later. Nobody writes one object for so long.
final class IncomingFolder: Sendable {
    private static let age = 86_400 * 1_000_000_000

    private let path: String
    private let isReady = Mutex(false)

    init(path: String) { self.path = path }

    /// The path of a file that is not there yet.
    func newFile() throws -> String {
        try isReady.withLock { isReady in
            guard !isReady else { return }
            try FileSystem.makeFolder(path)
            try removeLeftovers()
            isReady = true
        }
        return unused()
    }

    private func unused() -> String {
        var generator = SystemRandomNumberGenerator()
        return "\(path)/\(getpid())-" + String(generator.next(), radix: 16)
    }

    private func removeLeftovers() throws {
        let names = try FileSystem.names(in: path) ?? []
        guard !names.isEmpty else { return }
        // What time it is there: the clock of whoever serves the directory may differ from ours.
        let probe = unused()
        defer { _ = unlink(probe) }
        try FileSystem.create(probe, UnsafeRawBufferPointer(start: nil, count: 0))
        guard let now = try FileSystem.status(of: probe)?.modified else { return }
        for name in names {
            let file = "\(path)/\(name)"
            guard let status = try FileSystem.status(of: file), status.kind == .file,
                status.modified < now - IncomingFolder.age
            else { continue }
            try FileSystem.remove(file)
        }
    }
}
