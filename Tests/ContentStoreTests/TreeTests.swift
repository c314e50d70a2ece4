import Glibc
import Testing

@testable import ContentStore

@Suite struct TreeTests {
    let folder: TemporaryFolder
    let store: LocalStore
    let type = ArtifactType(name: "checkpoint", version: 1)

    init() throws {
        folder = try TemporaryFolder()
        store = try LocalStore(at: folder.file("store"))
    }

    @Test func aFolderRoundTrips() throws {
        var generator = SeededGenerator(seed: 13)
        try folder.write("in/config.json", "{}")
        try folder.write("in/a/b/c", [])
        try folder.write("in/a.b", "x")
        try folder.write("in/.hidden", "h")
        try folder.write("in/run.sh", Array("#!/bin/sh".utf8), mode: 0o755)
        try folder.write("in/weights", generator.bytes(9_000_000))
        let artifact = try store.writeTree(at: folder.file("in"), type: type)
        #expect(artifact.tree.map(\.path) == [".hidden", "a.b", "a/b/c", "config.json", "run.sh", "weights"])
        #expect(artifact.tree.filter(\.executable).map(\.path) == ["run.sh"])
        try store.write(artifact)
        try store.flush()

        let other = try LocalStore(at: folder.file("store"))
        let read = try other.readArtifact(artifact.digest)
        try other.readTree(read, to: folder.file("out"))
        #expect(try listing(folder.file("out")).sorted() == listing(folder.file("in")).sorted())
        for entry in artifact.tree {
            #expect(try contents(folder.file("out/\(entry.path)")) == contents(folder.file("in/\(entry.path)")))
        }
        #expect(try store.writeTree(at: folder.file("out"), type: type) == artifact)
    }

    @Test func theOrderOfTheDirectoryDoesNotCount() throws {
        for name in ["b", "a", "c/d"] { try folder.write("one/\(name)", name) }
        for name in ["c/d", "a", "b"] { try folder.write("two/\(name)", name) }
        #expect(
            try store.writeTree(at: folder.file("one"), type: type)
                == store.writeTree(at: folder.file("two"), type: type))
    }

    @Test func linksAndDevicesAreRefusedByName() throws {
        try folder.write("in/a/file", "x")
        symlink("/etc/passwd", folder.file("in/a/link"))
        let error = try #require(throws: ContentStoreError.self) {
            try store.writeTree(at: folder.file("in"), type: type)
        }
        #expect(error.code == .unsupportedFile)
        #expect(error.subject == folder.file("in/a/link"))
        unlink(folder.file("in/a/link"))
        mkfifo(folder.file("in/pipe"), 0o600)
        #expect(throws: ContentStoreError.self) { try store.writeTree(at: folder.file("in"), type: type) }
    }

    @Test func aFolderThatIsNotThereIsAnError() throws {
        let error = try #require(throws: ContentStoreError.self) {
            try store.writeTree(at: folder.file("absent"), type: type)
        }
        #expect(error.errno == ENOENT)
    }

    @Test func aTreeAppearsCompleteOrNotAtAll() throws {
        let intact = try store.write([1])
        let artifact = try Artifact(
            type: type,
            tree: [
                TreeEntry(path: "a/intact", digest: intact, bytes: 1),
                TreeEntry(path: "b/lost", digest: Digest(of: "lost"), bytes: 1),
            ])
        let error = try #require(throws: ContentStoreError.self) {
            try store.readTree(artifact, to: folder.file("out"))
        }
        #expect(error.code == .missingBlob)
        #expect(try FileSystem.names(in: folder.path) == ["store"])
    }

    @Test func sizesThatLieAreSeen() throws {
        let digest = try store.write([1, 2, 3])
        for bytes in [2, 4] {
            let artifact = try Artifact(type: type, tree: [TreeEntry(path: "a", digest: digest, bytes: bytes)])
            #expect(throws: ContentStoreError.self) { try store.readTree(artifact, to: folder.file("out")) }
            #expect(try FileSystem.names(in: folder.path) == ["store"])
        }
    }

    @Test func whatIsThereIsNeverReplaced() throws {
        try folder.write("out/mine", "x")
        let artifact = try Artifact(type: type, tree: [])
        let error = try #require(throws: ContentStoreError.self) {
            try store.readTree(artifact, to: folder.file("out"))
        }
        #expect(error.errno == EEXIST)
        try store.readTree(artifact, to: folder.file("new"))
        #expect(try FileSystem.names(in: folder.file("new")) == [])
    }
}
