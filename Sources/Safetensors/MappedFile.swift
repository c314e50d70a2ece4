#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file mapped read-only into memory, unmapped when the last reference goes.
///
/// `@unchecked Sendable`: the mapping is read-only and its address never changes.
final class MappedFile: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    init(path: String) throws(SafetensorsError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SafetensorsError.system(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SafetensorsError.system(path, "cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError(source: path, problem: "is not a regular file")
        }
        let count = Int(status.st_size)
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw SafetensorsError.system(path, "cannot be mapped into memory")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: count)
    }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }
}

extension SafetensorsError {
    /// An error of the operating system, from `errno`.
    static func system(_ path: String, _ problem: String) -> SafetensorsError {
        SafetensorsError(source: path, problem: "\(problem): \(String(cString: strerror(errno)))")
    }
}
