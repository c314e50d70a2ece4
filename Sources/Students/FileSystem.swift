import Safetensors

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the worker asks of the file system; every error names the path and the cause.
enum FileSystem {
    /// All bytes of a file.
    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = readBytes(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw failure(path, "cannot be read") }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    static func isFile(_ path: String) -> Bool { mode(path) & S_IFMT == S_IFREG }
    static func isDirectory(_ path: String) -> Bool { mode(path) & S_IFMT == S_IFDIR }

    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : 0
    }

    /// Builds a directory beside `path` and puts it in place in one step.
    ///
    /// - Parameter fill: writes the content into the directory it is given.
    /// - Throws: ``StudentError`` when something is at `path` already (an empty directory is fine); whatever `fill`
    ///   throws. Nothing is left behind then.
    static func createDirectory(_ path: String, fill: (String) throws -> Void) throws {
        let temporary = "\(path).partial-\(getpid())"
        try? removeDirectory(temporary)
        guard mkdir(temporary, 0o755) == 0 else { throw failure(path, "cannot be created") }
        do {
            try fill(temporary)
            try flush(temporary)
            guard rename(temporary, path) == 0 else { throw failure(path, "cannot be put in place") }
        } catch {
            try? removeDirectory(temporary)
            throw error
        }
    }

    /// Makes a directory and the folders above it, where they are missing.
    static func makeDirectory(_ path: String) throws {
        guard !isDirectory(path) else { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex { try makeDirectory(String(path[..<slash])) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure(path, "cannot be created") }
    }

    /// Names in a directory, ordered by their bytes, without `.` and `..`.
    static func list(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw failure(path, "cannot be listed") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func removeDirectory(_ path: String) throws {
        for name in try list(path) {
            let child = "\(path)/\(name)"
            if isDirectory(child) { try removeDirectory(child) } else { unlink(child) }
        }
        rmdir(path)
    }

    private static func flush(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path, "cannot be flushed to disk") }
    }

    static func failure(_ path: String, _ problem: String) -> StudentError {
        StudentError(path, "\(problem): \(String(cString: strerror(errno)))")
    }
}

private func readBytes(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
