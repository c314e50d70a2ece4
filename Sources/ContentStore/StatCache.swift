import Glibc
import Synchronization

/// The digests of source files, remembered by what `stat` says of them, so that an unchanged file is not read again.
///
/// A digest is trusted while size, modification time, change time, inode and device are what they were. Times have a
/// granularity: a file changed twice within it looks the same afterwards. So a digest is remembered only where the file
/// had not been touched for ``settlingTime`` when its reading began.
public final class StatCache: Sendable {
    /// How long a file must have been left alone, in nanoseconds: the coarsest granularity in use (FAT has 2 s).
    static let settlingTime = 2_500_000_000

    /// Where the cache is kept; nil for one that is not.
    private let path: String?
    private let now: @Sendable () -> Int
    private let state: Mutex<State>

    struct Entry: Equatable {
        var bytes: Int
        var modified: Int
        var changed: Int
        var inode: UInt64
        var device: UInt64
        var digest: Digest
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var used: Set<String> = []
        var isChanged = false
        var hashed = 0
    }

    /// A cache of the files used with `store`, kept in its `local/` folder. A damaged one is as good as empty.
    public convenience init(for store: LocalStore) throws {
        try self.init(
            path: "\(store.layout.local)/stat-cache", now: StatCache.systemClock)
    }

    /// A cache of this process alone.
    public convenience init() { self.init(entries: [:], path: nil, now: StatCache.systemClock) }

    /// - Parameter now: The time files are stamped with, in nanoseconds since 1970.
    convenience init(path: String, now: @escaping @Sendable () -> Int) throws {
        let bytes = try FileSystem.contents(of: path, limit: 1 << 30) ?? []
        self.init(entries: StatCacheDocument.decode(bytes) ?? [:], path: path, now: now)
    }

    private init(entries: [String: Entry], path: String?, now: @escaping @Sendable () -> Int) {
        self.path = path
        self.now = now
        state = Mutex(State(entries: entries))
    }

    /// How many files had to be read.
    public var hashedFiles: Int { state.withLock { $0.hashed } }

    /// Digest and size of the regular file at `path`, reading it only where it may have changed.
    ///
    /// - Parameter path: Best absolute: it is what the digest is remembered by.
    /// - Throws: ``ContentStoreError``: `changedWhileRead`, `unsupportedFile`, or `system`.
    public func content(of path: String) throws -> FileContent {
        let file = try FileSystem.open(path, O_RDONLY | O_NONBLOCK, doing: "reading")
        let began = now()
        let status = try FileSystem.status(of: file, path)
        guard status.kind == .file else {
            throw ContentStoreError(
                .unsupportedFile, path, "it is not a regular file", remedy: "replace it by a file, or leave it out")
        }
        if let digest = remembered(path, status) { return FileContent(digest: digest, bytes: status.bytes) }
        let digest = try StatCache.hash(file, path)
        guard try FileSystem.status(of: file, path) == status else { throw FileSystem.changedWhileRead(path) }
        let isSettled = max(status.modified, status.changed) < began - StatCache.settlingTime
        state.withLock { state in
            state.hashed += 1
            guard isSettled else { return }
            state.entries[path] = Entry(status, digest)
            state.used.insert(path)
            state.isChanged = true
        }
        return FileContent(digest: digest, bytes: status.bytes)
    }

    /// Writes the cache to its place, atomically, where anything changed. Of several processes the last one wins.
    public func save() throws {
        guard let path else { return }
        let bytes: [UInt8]? = state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            if state.entries.count > 200_000 { state.entries = state.entries.filter { state.used.contains($0.key) } }
            return StatCacheDocument.encode(state.entries)
        }
        guard let bytes else { return }
        try FileSystem.replace(path, with: bytes, temporary: "\(path).\(getpid())")
    }

    private func remembered(_ path: String, _ status: FileStatus) -> Digest? {
        state.withLock { state in
            guard let entry = state.entries[path], entry == Entry(status, entry.digest) else { return nil }
            state.used.insert(path)
            return entry.digest
        }
    }

    private static func hash(_ file: borrowing Descriptor, _ path: String) throws -> Digest {
        var hasher = Hasher256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try FileSystem.read(file.raw, into: buffer, path)
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if count < buffer.count { return hasher.finalize() }
        }
    }

    private static let systemClock: @Sendable () -> Int = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}

extension StatCache.Entry {
    init(_ status: FileStatus, _ digest: Digest) {
        self.init(
            bytes: status.bytes, modified: status.modified, changed: status.changed, inode: status.inode,
            device: status.device, digest: digest)
    }
}

/// The stat cache's file: a line naming the format, the SHA-256 of what follows, then the entries in the order of their
/// paths, integers as eight bytes, least significant first.
enum StatCacheDocument {
    private static let header = Array("retort-stat-cache/1\n".utf8)

    static func encode(_ entries: [String: StatCache.Entry]) -> [UInt8] {
        var body: [UInt8] = []
        for (path, entry) in entries.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            append(UInt64(path.utf8.count), to: &body)
            body.append(contentsOf: path.utf8)
            for value in [entry.bytes, entry.modified, entry.changed] {
                append(UInt64(bitPattern: Int64(value)), to: &body)
            }
            append(entry.inode, to: &body)
            append(entry.device, to: &body)
            entry.digest.withRawBytes { body.append(contentsOf: $0) }
        }
        return header + Digest(of: body).bytes + body
    }

    /// Nil for bytes that are not exactly what was written, or of another version: the cache starts afresh.
    static func decode(_ bytes: [UInt8]) -> [String: StatCache.Entry]? {
        let start = header.count + 32
        guard bytes.count >= start, bytes.starts(with: header),
            Digest(bytes: Array(bytes[header.count..<start])) == Digest(of: bytes[start...])
        else { return nil }
        var entries: [String: StatCache.Entry] = [:]
        var position = start
        func integer() -> UInt64? {
            guard position + 8 <= bytes.count else { return nil }
            defer { position += 8 }
            return (0..<8).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
        }
        while position < bytes.count {
            guard let length = integer().flatMap({ Int(exactly: $0) }), length <= bytes.count - position else {
                return nil
            }
            let path = String(decoding: bytes[position..<position + length], as: UTF8.self)
            position += length
            guard let size = integer(), let modified = integer(), let changed = integer(), let inode = integer(),
                let device = integer(), position + 32 <= bytes.count,
                let digest = Digest(bytes: Array(bytes[position..<position + 32]))
            else { return nil }
            position += 32
            entries[path] = StatCache.Entry(
                bytes: Int(truncatingIfNeeded: size), modified: Int(truncatingIfNeeded: modified),
                changed: Int(truncatingIfNeeded: changed), inode: inode, device: device, digest: digest)
        }
        return entries
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
