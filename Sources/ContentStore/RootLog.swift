import Glibc
import Synchronization

/// A root that grows action by action: what a run has finished is kept from collection from then on, however the run
/// ends.
///
/// It is a file beside the root's own, of keys of 32 bytes each, only appended to: a key costs a system call or two, not
/// a new root. What a process has added stays when it is killed; a power failure may take the latest keys. Room on the
/// disk is taken before it is needed, so that a disk that others fill does not keep a key out.
public final class RootLog: Sendable {
    private struct State {
        /// -1 while there is no file of ours.
        var descriptor: Int32 = -1
        /// Whether what was done before the file was opened is in it.
        var isCaughtUp = false
        /// Up to which size of the file there is room on the disk.
        var reserved = 0

        mutating func close() {
            if descriptor >= 0 { _ = Glibc.close(descriptor) }
            self = State()
        }
    }

    /// How much room is taken at a time: 1024 keys. With less than half of it left, more is taken.
    private static let reserve = 32 << 10

    private let path: String
    private let state = Mutex(State())

    /// A log for the root `name`. Nothing is written before ``prepare()`` or the first key.
    ///
    /// - Throws: ``ContentStoreError`` with code `malformed` for a name that is not allowed, or `system`.
    public init(_ name: String, in store: LocalStore) throws {
        _ = try store.writing()
        path = store.rootPath(try Root(name: name).name, RootLog.fileExtension)
    }

    deinit {
        state.withLock { $0.close() }
    }

    /// Makes the file and takes room for the keys to come. Does nothing the second time.
    ///
    /// - Throws: ``ContentStoreError`` with code `system`: where the disk is full, before there is anything to keep.
    public func prepare() throws {
        try state.withLock { state in
            guard state.descriptor < 0 else { return }
            do {
                try open(&state)
                try takeRoom(&state)
            } catch {
                state.close()
                throw error
            }
        }
    }

    /// Adds `key`, and the first time what `earlier` gives. So it does again after somebody has removed the root: another
    /// run of the same pipeline that came to its end.
    public func add(_ key: Digest, earlier: () -> [Digest]) throws {
        try state.withLock { state in
            var isKept = false
            // A key that a full disk cut off must not be followed by others as it is: the next one opens the file anew.
            defer { if !isKept { state.close() } }
            if state.isCaughtUp {
                try append([key], to: state.descriptor)
                isKept = try isNamed(state.descriptor)
            }
            if !isKept {
                if try state.descriptor < 0 || !isNamed(state.descriptor) {
                    state.close()
                    try open(&state)
                }
                // Whole keys have to follow what a kill or a full disk cut off; the one that is made up is nobody's.
                let size = try status(state.descriptor).st_size
                try append(earlier() + [key], after: (32 - Int(size) % 32) % 32, to: state.descriptor)
                state.isCaughtUp = true
                isKept = true
            }
            // There is room for hundreds yet: a disk that is full now need not be by then.
            try? takeRoom(&state)
        }
    }

    private func open(_ state: inout State) throws {
        state.descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard state.descriptor >= 0 else { throw FileSystem.failure("opening", path) }
    }

    private func status(_ descriptor: Int32) throws -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileSystem.failure("examining", path) }
        return status
    }

    /// Whether nobody has removed the file.
    private func isNamed(_ descriptor: Int32) throws -> Bool { try status(descriptor).st_nlink > 0 }

    private func takeRoom(_ state: inout State) throws {
        let size = try Int(status(state.descriptor).st_size)
        guard size + RootLog.reserve / 2 > state.reserved else { return }
        // Where the file system cannot, there is nothing to be had at any size.
        let isTaken = try FileSystem.reserve(state.descriptor, offset: size, count: RootLog.reserve, path)
        state.reserved = isTaken ? size + RootLog.reserve : .max
    }

    private func append(_ keys: [Digest], after padding: Int = 0, to descriptor: Int32) throws {
        var bytes = [UInt8](repeating: 0, count: padding)
        bytes.reserveCapacity(padding + keys.count * 32)
        for key in keys { key.withRawBytes { bytes.append(contentsOf: $0) } }
        // One call, so that what several processes append does not mix.
        try FileSystem.write(bytes, to: descriptor, path)
    }
}

extension RootLog {
    /// How the file's name ends, after the root's name.
    static let fileExtension = ".keys"

    /// Far more than any pipeline has actions.
    private static let mostBytes = 1 << 30

    /// The keys in the log at `path`. A last one that is cut off, by a full disk or a kill, is left out.
    static func keys(at path: String) throws -> [Digest]? {
        guard let bytes = try FileSystem.contents(of: path, limit: mostBytes) else { return nil }
        return bytes.withUnsafeBytes { buffer in
            stride(from: 0, to: buffer.count / 32 * 32, by: 32).map {
                Digest(raw: UnsafeRawBufferPointer(rebasing: buffer[$0..<$0 + 32]))
            }
        }
    }
}
