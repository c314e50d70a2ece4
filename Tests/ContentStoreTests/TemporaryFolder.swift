import Glibc
import Testing

@testable import ContentStore

/// A folder of a test's own, removed with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/retort-store-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) != nil }
        guard made else { throw FileSystem.failure("creating a folder", "/tmp") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit { try? DirectoryWalk.remove(path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file and the folders above it; returns its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws -> String {
        try FileSystem.makeFolders(FileSystem.folder(of: file(name)))
        try? FileSystem.remove(file(name))
        try bytes.withUnsafeBytes { try FileSystem.create(file(name), $0, mode: mode) }
        return file(name)
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
}

/// A file's bytes.
func contents(_ path: String) throws -> [UInt8] {
    try #require(try FileSystem.contents(of: path, limit: 1 << 30), "\(path) does not exist")
}

/// Every file under a folder, by path.
func listing(_ folder: String) throws -> [String] { try DirectoryWalk.files(under: folder).map(\.path) }
