import CLinux
import Glibc

/// An open file descriptor, closed at the end of its life.
package struct Descriptor: ~Copyable {
    package let raw: Int32

    deinit { _ = Glibc.close(raw) }
}

/// What a file's metadata says.
package struct FileStatus: Equatable, Sendable {
    package enum Kind: Sendable { case file, directory, symbolicLink, other }

    package var kind: Kind
    package var bytes: Int
    /// Permission bits.
    package var mode: UInt32
    /// Nanoseconds since 1970.
    package var modified: Int
    /// Nanoseconds since 1970 of the last change of content or metadata.
    package var changed: Int
    package var inode: UInt64
    package var device: UInt64

    /// The same file with the same content, as far as the system can tell: mode and owner do not count.
    func isSameVersion(as other: FileStatus) -> Bool {
        kind == other.kind && bytes == other.bytes && modified == other.modified && changed == other.changed
            && inode == other.inode && device == other.device
    }
}

extension FileStatus {
    init(_ raw: stat) {
        let kind: Kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        self.init(
            kind: kind, bytes: Int(raw.st_size), mode: raw.st_mode & 0o7777,
            modified: raw.st_mtim.tv_sec * 1_000_000_000 + raw.st_mtim.tv_nsec,
            changed: raw.st_ctim.tv_sec * 1_000_000_000 + raw.st_ctim.tv_nsec, inode: UInt64(raw.st_ino),
            device: UInt64(raw.st_dev))
    }
}

/// The system calls the store needs, each retried when interrupted, each failure said in words.
package enum FileSystem {
    /// Opens a file, close-on-exec.
    package static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0o644, doing: String = "opening"
    ) throws(ContentStoreError) -> Descriptor {
        while true {
            let raw = Glibc.open(path, flags | O_CLOEXEC, mode)
            if raw >= 0 { return Descriptor(raw: raw) }
            if errno != EINTR { throw failure(doing, path) }
        }
    }

    /// Opens a file for reading; nil where there is none.
    package static func openIfPresent(_ path: String) throws(ContentStoreError) -> Descriptor? {
        do throws(ContentStoreError) {
            return try open(path, O_RDONLY | O_NOFOLLOW, doing: "reading")
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    package static func status(of file: borrowing Descriptor, _ path: String) throws(ContentStoreError) -> FileStatus {
        var raw = stat()
        guard fstat(file.raw, &raw) == 0 else { throw failure("examining", path) }
        return FileStatus(raw)
    }

    /// The status of what `path` names, without following a symbolic link at its end; nil where there is nothing.
    package static func status(of path: String) throws(ContentStoreError) -> FileStatus? {
        var raw = stat()
        if lstat(path, &raw) == 0 { return FileStatus(raw) }
        if errno == ENOENT { return nil }
        throw failure("examining", path)
    }

    /// Reads up to `buffer.count` bytes; fewer only at the end of the file.
    package static func read(
        _ file: Int32, into buffer: UnsafeMutableRawBufferPointer, _ path: String
    ) throws(ContentStoreError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = Glibc.read(file, buffer.baseAddress! + done, buffer.count - done)
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw failure("reading", path)
            }
        }
        return done
    }

    package static func write(
        _ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String
    ) throws(ContentStoreError) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(file, bytes.baseAddress! + done, bytes.count - done)
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw failure("writing", path)
            }
        }
    }

    static func write(_ bytes: [UInt8], to file: Int32, _ path: String) throws(ContentStoreError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(ContentStoreError) in
            try write(UnsafeRawBufferPointer(buffer), to: file, path)
        }
    }

    /// The whole file, of at most `limit` bytes; nil where there is none.
    package static func contents(of path: String, limit: Int) throws(ContentStoreError) -> [UInt8]? {
        try contentsAndStatus(of: path, limit: limit)?.bytes
    }

    /// The whole file, of at most `limit` bytes, and its status; nil where there is none.
    package static func contentsAndStatus(
        of path: String, limit: Int
    ) throws(ContentStoreError) -> (bytes: [UInt8], status: FileStatus)? {
        guard let file = try openIfPresent(path) else { return nil }
        let status = try status(of: file, path)
        guard status.kind == .file else {
            throw ContentStoreError(
                .unsupportedFile, path, "is not a regular file", remedy: "remove it, or restore the file it replaced")
        }
        guard status.bytes <= limit else {
            throw ContentStoreError(
                .tooLarge, path, "has \(status.bytes) bytes, more than the \(limit) it may have",
                remedy: "remove it: what it stood for will be computed again")
        }
        return (try contents(of: file, path, count: status.bytes), status)
    }

    /// The next `count` bytes of a file; fewer where it ends before.
    package static func contents(
        of file: borrowing Descriptor, _ path: String, count: Int
    ) throws(ContentStoreError) -> [UInt8] {
        let raw = file.raw
        var failure: ContentStoreError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(ContentStoreError) {
                initialized = try read(raw, into: UnsafeMutableRawBufferPointer(buffer), path)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Creates a file that did not exist and writes it; durable only after ``synchronize(_:)``.
    package static func create(
        _ path: String, _ bytes: UnsafeRawBufferPointer, mode: mode_t = 0o644
    ) throws(ContentStoreError) {
        let file = try open(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode, doing: "creating")
        do throws(ContentStoreError) {
            try write(bytes, to: file.raw, path)
        } catch {
            _ = unlink(path)
            throw error
        }
    }

    /// Replaces `path` atomically and durably by way of a temporary file beside it in `temporary`.
    package static func replace(_ path: String, with bytes: [UInt8], temporary: String) throws(ContentStoreError) {
        do throws(ContentStoreError) {
            try bytes.withUnsafeBufferPointer { (buffer) throws(ContentStoreError) in
                try create(temporary, UnsafeRawBufferPointer(buffer))
            }
            try synchronize(temporary)
            try rename(temporary, to: path)
        } catch {
            _ = unlink(temporary)
            throw error
        }
        try synchronize(folder(of: path))
    }

    package static func rename(_ path: String, to target: String) throws(ContentStoreError) {
        guard Glibc.rename(path, target) == 0 else { throw failure("moving a file to", target) }
    }

    /// Lets two files or folders change places in one step. Returns false where the file system cannot.
    package static func exchange(_ path: String, with other: String) throws(ContentStoreError) -> Bool {
        if renameat2(AT_FDCWD, path, AT_FDCWD, other, 2) == 0 { return true }
        guard errno == EINVAL || errno == ENOSYS || errno == ENOTSUP else { throw failure("exchanging", other) }
        return false
    }

    /// Waits until the file or folder at `path` is on the disk.
    package static func synchronize(_ path: String) throws(ContentStoreError) {
        let file = try open(path, O_RDONLY, doing: "flushing")
        try synchronize(file, path)
    }

    package static func synchronize(_ file: borrowing Descriptor, _ path: String) throws(ContentStoreError) {
        while fsync(file.raw) != 0 {
            // Some network and overlay file systems cannot flush a folder; they say so by these.
            if errno == EINVAL || errno == ENOTSUP { return }
            if errno != EINTR { throw failure("flushing", path) }
        }
    }

    /// Waits until everything written to the file system that `folder` lies on is on the disk.
    package static func synchronizeFileSystem(of folder: String) throws(ContentStoreError) {
        let file = try open(folder, O_RDONLY, doing: "flushing")
        guard syncfs(file.raw) == 0 else { throw failure("flushing the file system of", folder) }
    }

    /// Asks the system to begin with writing a part of a file to the disk, so that a later flush has less to wait for.
    package static func startWriting(_ descriptor: Int32, offset: Int, count: Int) {
        // A mere hint: file systems that cannot do this are flushed as ever.
        _ = sync_file_range(descriptor, offset, count, 2)
    }

    /// Takes room on the disk for `count` bytes from `offset` on; the file's size stays as it is.
    ///
    /// - Returns: false where the file system cannot.
    package static func reserve(
        _ descriptor: Int32, offset: Int, count: Int, _ path: String
    ) throws(ContentStoreError) -> Bool {
        while fallocate(descriptor, 1, offset, count) != 0 {
            switch errno {
            case EINTR: continue
            case ENOSPC, EDQUOT: throw failure("reserving room for", path)
            default: return false
            }
        }
        return true
    }

    /// Removes a file; one that is not there is fine.
    package static func remove(_ path: String) throws(ContentStoreError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("removing", path) }
    }

    /// Creates a folder; one that is there already is fine. Returns whether it was created.
    @discardableResult
    package static func makeFolder(_ path: String) throws(ContentStoreError) -> Bool {
        if mkdir(path, 0o755) == 0 { return true }
        let code = errno
        var raw = stat()
        if code == EEXIST, stat(path, &raw) == 0, raw.st_mode & S_IFMT == S_IFDIR { return false }
        throw failure("creating", path, code)
    }

    /// Creates a folder and those above it.
    package static func makeFolders(_ path: String) throws(ContentStoreError) {
        do throws(ContentStoreError) {
            try makeFolder(path)
        } catch {
            let above = folder(of: path)
            guard error.errno == ENOENT, above != path else { throw error }
            try makeFolders(above)
            try makeFolder(path)
        }
    }

    /// The absolute path of what is at `path`, without symbolic links in it.
    static func absolute(_ path: String) throws(ContentStoreError) -> String {
        guard let absolute = realpath(path, nil) else { throw failure("finding", path) }
        defer { free(absolute) }
        return String(cString: absolute)
    }

    /// The names in a folder, sorted by their bytes; nil where there is no such folder.
    package static func names(in path: String) throws(ContentStoreError) -> [String]? {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return nil }
            throw failure("listing", path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw failure("listing", path) }
                names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name else {
                throw ContentStoreError(
                    .unsupportedFile, path, "a file in this folder has a name that is not UTF-8",
                    remedy: "rename it, or leave it out")
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// Everything before the last `/`.
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A new folder, for this user alone, under TMPDIR or /tmp. The caller removes it.
    package static func makeTemporaryFolder(_ name: String) throws(ContentStoreError) -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw failure("making a folder in", parent) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func changedWhileRead(_ path: String) -> ContentStoreError {
        ContentStoreError(
            .changedWhileRead, path, "it changed while it was read",
            remedy: "run again when nothing writes to it any more")
    }

    /// What the operating system refused, in words, from `errno`.
    package static func failure(_ doing: String, _ path: String, _ code: Int32 = Glibc.errno) -> ContentStoreError {
        ContentStoreError(
            .system, path, "\(doing) it failed: \(String(cString: strerror(code)))",
            remedy: remedy(for: code, at: .store),
            errno: code)
    }
}
