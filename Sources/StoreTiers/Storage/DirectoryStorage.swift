import ContentStore
import Glibc

/// A tier in a directory that several machines mount.
///
/// Nothing here relies on locks, which network file systems keep badly: an object is written to a folder of its own and
/// renamed into its place, and two who write the same object write the same content.
struct DirectoryStorage: ObjectStorage {
    let root: String
    let tier: String
    private let incoming: IncomingFolder

    init(root: String, tier: String) {
        self.root = root
        self.tier = tier
        incoming = IncomingFolder(path: "\(root)/incoming")
    }

    var parallelism: Int { 8 }

    private func path(_ object: ObjectName) -> String { "\(root)/\(object.path)" }

    func status(of object: ObjectName) throws -> ObjectStatus? {
        try saying {
            guard let status = try FileSystem.status(of: path(object)), status.kind == .file else { return nil }
            return ObjectStatus(bytes: status.bytes, validator: "\(status.bytes)-\(status.modified)-\(status.inode)")
        }
    }

    func read(_ object: ObjectName, limit: Int) throws -> [UInt8]? {
        if object == .format { try checkRoot() }
        return try saying { try FileSystem.contents(of: path(object), limit: limit) }
    }

    func download(_ object: ObjectName, limit: Int, to target: String, check: IncomingBlob?) throws -> Bool {
        try saying {
            guard let source = try FileSystem.openIfPresent(path(object)) else { return false }
            let size = try FileSystem.status(of: source, path(object)).bytes
            guard size <= limit else {
                throw TierError(
                    .damaged, tier, "\(object.path) has \(size) bytes, more than the \(limit) it may have",
                    remedy: "push it again from a store that holds it")
            }
            try copy(source.raw, path(object), to: target, check: check)
            return true
        }
    }

    func write(_ object: ObjectName, _ bytes: [UInt8]) throws {
        try saying {
            try put(object) { temporary in
                try bytes.withUnsafeBytes { try FileSystem.create(temporary, $0) }
            }
        }
    }

    func write(_ object: ObjectName, fileAt source: String, bytes: Int) throws -> ObjectStatus? {
        try saying {
            try put(object) { temporary in
                let file = try FileSystem.open(source, O_RDONLY | O_NOFOLLOW, doing: "reading")
                try copy(file.raw, source, to: temporary)
            }
        }
        return try status(of: object)
    }

    func remove(_ object: ObjectName) throws { try saying { try FileSystem.remove(path(object)) } }

    func contents() throws -> [ObjectName]? {
        try saying {
            try ["blobs", "actions"].flatMap { top in
                try (FileSystem.names(in: "\(root)/\(top)") ?? []).flatMap { folder in
                    try (FileSystem.names(in: "\(root)/\(top)/\(folder)") ?? []).compactMap { name in
                        ObjectName(path: "\(top)/\(folder)/\(name)")
                    }
                }
            }
        }
    }

    func segments(of collection: SegmentCollection) throws -> [Digest] {
        try saying {
            let folder = "segments/\(collection)"
            return try (FileSystem.names(in: "\(root)/\(folder)") ?? []).compactMap { name in
                guard case .segment(_, let digest)? = ObjectName(path: "\(folder)/\(name)") else { return nil }
                return digest
            }
        }
    }

    func register(_ segment: Digest, in collection: SegmentCollection) {}

    /// Writing elsewhere first, then renaming: a reader sees all of it or nothing.
    private func put(_ object: ObjectName, _ fill: (String) throws -> Void) throws {
        let target = path(object)
        let folder = FileSystem.folder(of: target)
        try checkRoot()
        let temporary = try incoming.newFile()
        try FileSystem.makeFolders(folder)
        do {
            try fill(temporary)
            try FileSystem.synchronize(temporary)
            try FileSystem.rename(temporary, to: target)
        } catch {
            _ = unlink(temporary)
            throw error
        }
    }

    /// A mount that is not there must not be filled in its stead.
    private func checkRoot() throws {
        guard try FileSystem.status(of: root)?.kind != .directory else { return }
        var raw = stat()
        if stat(root, &raw) == 0, raw.st_mode & S_IFMT == S_IFDIR { return }
        throw TierError(
            .missing, tier, "there is no such folder", remedy: "create it, or mount what should be there")
    }

    private func copy(_ source: Int32, _ path: String, to target: String, check: IncomingBlob? = nil) throws {
        let file = try FileSystem.open(target, O_WRONLY | O_CREAT | O_EXCL, doing: "creating")
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try FileSystem.read(source, into: buffer, path)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            try FileSystem.write(bytes, to: file.raw, target)
            check?.receive(bytes)
            if count < buffer.count { return }
        }
    }

    /// Says what the operating system refused as a failure of the tier.
    private func saying<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as ContentStoreError {
            let code: TierError.Code =
                switch error.errno {
                case EACCES, EPERM, EROFS: .refused
                default: .unreachable
                }
            throw TierError(code, tier, "\(error.subject): \(error.problem)", remedy: error.concerning(.tier).remedy)
        }
    }
}
