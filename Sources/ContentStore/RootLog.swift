import Glibc
import Synchronization

/// A root that grows action by action: what a run has finished is kept from collection from then on, however the run
/// ends.
///
/// It is a file beside the root's own, of keys of 32 bytes each, only appended to: a key costs a system call or two, not
/// a new root. What a process has added stays when it is killed; a power failure may take the latest keys.
public final class RootLog: Sendable {
    private struct State {
        /// -1 while there is no file of ours.
        var descriptor: Int32 = -1

        mutating func close() {
            if descriptor >= 0 { _ = Glibc.close(descriptor) }
            descriptor = -1
        }
    }

    private let path: String
    private let state = Mutex(State())

    /// A log for the root `name`. Nothing is written before the first key.
    ///
    /// - Throws: ``ContentStoreError`` with code `malformed` for a name that is not allowed, or `system`.
    public init(_ name: String, in store: LocalStore) throws {
        _ = try store.writing()
        path = store.rootPath(try Root(name: name).name, RootLog.fileExtension)
    }

    deinit {
        state.withLock { $0.close() }
    }

    /// Adds `key`, and the first time what `earlier` gives. So it does again after somebody has removed the root: another
    /// run of the same pipeline that came to its end.
    public func add(_ key: Digest, earlier: () -> [Digest]) throws {
        try state.withLock { state in
            var isKept = false
            // A key that a full disk cut off must not be followed by others as it is: the next one opens the file anew.
            defer { if !isKept { state.close() } }
            if state.descriptor >= 0 {
                try append([key], to: state.descriptor)
                var status = stat()
                isKept = fstat(state.descriptor, &status) == 0 && status.st_nlink > 0
                if isKept { return }
                state.close()
            }
            state.descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard state.descriptor >= 0 else { throw FileSystem.failure("opening", path) }
            var status = stat()
            guard fstat(state.descriptor, &status) == 0 else { throw FileSystem.failure("examining", path) }
            // Whole keys have to follow what a kill or a full disk cut off; the one that is made up is nobody's.
            let missing = (32 - Int(status.st_size) % 32) % 32
            try append(earlier() + [key], after: missing, to: state.descriptor)
            isKept = true
        }
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
