import Testing

@testable import Safetensors

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A directory that is removed at the end of its test.
final class ScratchDirectory {
    let path: String

    init() {
        var template = Array("/tmp/safetensors-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

@Suite struct FileTests {
    @Test func writtenFilesMapBack() throws {
        let scratch = ScratchDirectory()
        let path = "\(scratch.path)/model.safetensors"
        let layout = try SafetensorsLayout(
            RoundTripTests.tensors.map { ($0.name, $0.type, $0.shape) }, metadata: [("format", "pt")])
        try SafetensorsArchive.write(layout, to: path) { entry, emit in
            let content = RoundTripTests.tensors.first { $0.name == entry.name }!
            try content.bytes.withUnsafeBytes { bytes in
                let half = bytes.count / 2
                try emit(UnsafeRawBufferPointer(rebasing: bytes[..<half]))
                try emit(UnsafeRawBufferPointer(rebasing: bytes[half...]))
            }
        }
        let archive = try SafetensorsArchive(mapping: path)
        #expect(
            archive.header
                == (try SafetensorsArchive(
                    decoding: SafetensorsArchive.encode(RoundTripTests.tensors, metadata: [("format", "pt")]))).header)
        #expect(try archive.values("weights", as: Float.self) == [1.5, -2, 3, 4, 5, 6])
        #expect(scratch.names == ["model.safetensors"])
    }

    @Test func failedWritesLeaveTheOldFile() throws {
        let scratch = ScratchDirectory()
        let path = "\(scratch.path)/model.safetensors"
        try AtomicFile.replace(path, with: [1, 2, 3])
        let layout = try SafetensorsLayout([(name: "x", type: .int32, shape: [2])])
        #expect(
            throws: SafetensorsError(source: path, tensor: "x", problem: "has 4 bytes, its shape [2] needs 8")
        ) {
            try SafetensorsArchive.write(layout, to: path) { _, emit in
                try [Int32(1)].withUnsafeBytes { try emit($0) }
            }
        }
        #expect(scratch.names == ["model.safetensors"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_size == 3)
    }

    @Test func unreadablePathsAreNamed() throws {
        let scratch = ScratchDirectory()
        #expect(
            throws: SafetensorsError(
                source: "\(scratch.path)/none", problem: "cannot be opened: No such file or directory")
        ) { try SafetensorsArchive(mapping: "\(scratch.path)/none") }
        #expect(throws: SafetensorsError(source: scratch.path, problem: "is not a regular file")) {
            try SafetensorsArchive(mapping: scratch.path)
        }
        try AtomicFile.replace("\(scratch.path)/empty", with: [])
        #expect(
            throws: SafetensorsError(
                source: "\(scratch.path)/empty",
                problem: "is 0 bytes long; a safetensors file begins with an 8-byte header length")
        ) { try SafetensorsArchive(mapping: "\(scratch.path)/empty") }
        #expect(
            throws: SafetensorsError(
                source: "\(scratch.path)/none/x", problem: "cannot be created: No such file or directory")
        ) { try AtomicFile.replace("\(scratch.path)/none/x", with: []) }
    }
}
