import Dispatch
import Glibc
import Synchronization

/// A file that changes every few seconds for as long as its process lives and is not stopped.
///
/// Others read it and judge by their own clocks whether it still changes: the clocks of two machines are never compared.
/// Its content is the identity of the machine and a counter; see ``Machine``.
final class Heartbeat: Sendable {
    /// The file's name in a session's folder.
    static let name = "heartbeat"

    private let path: String
    private let beats = Mutex<UInt64>(0)
    private let timer: Timer

    /// Unchecked: Dispatch's timers may be used from any thread, but are not declared so on Linux.
    private struct Timer: @unchecked Sendable { let source: any DispatchSourceTimer }

    /// Beats once, and from then on every `interval`.
    init(at path: String, every interval: DispatchTimeInterval) throws(ContentStoreError) {
        self.path = path
        timer = Timer(source: DispatchSource.makeTimerSource(queue: .global(qos: .utility)))
        try beat()
        timer.source.schedule(deadline: .now() + interval, repeating: interval, leeway: .milliseconds(100))
        // A beat that fails (a full disk) is made up for by the next; missing many, the process is taken for dead, which
        // costs others some work and nothing else.
        timer.source.setEventHandler { [weak self] in try? self?.beat() }
        timer.source.activate()
    }

    deinit { timer.source.cancel() }

    /// Opened anew each time: network file systems show others what was written when a file is closed.
    private func beat() throws(ContentStoreError) {
        let count = beats.withLock { count in
            count += 1
            return count
        }
        let text = "\(Machine.identity) \(count)\n"
        let file = try FileSystem.open(path, O_WRONLY | O_CREAT, doing: "creating")
        try FileSystem.write(Array(text.utf8), to: file.raw, path)
    }

    /// What a heartbeat's file holds now; nil where there is none.
    static func read(_ path: String) throws(ContentStoreError) -> [UInt8]? {
        try FileSystem.contents(of: path, limit: 1 << 12)
    }
}

/// The machine this process runs on, as far as locks reach: one boot of one kernel.
enum Machine {
    static let identity: String = {
        let path = "/proc/sys/kernel/random/boot_id"
        // Files in /proc have no size, so they are read to their end.
        guard let file = try? FileSystem.open(path, O_RDONLY),
            let bytes = try? FileSystem.contents(of: file, path, count: 36), bytes.count == 36
        else { return "unknown" }
        return String(decoding: bytes, as: UTF8.self)
    }()

    /// Whether a text that starts with a machine's identity was written on this one.
    static func wrote(_ bytes: [UInt8]) -> Bool { bytes.starts(with: identity.utf8) }
}
