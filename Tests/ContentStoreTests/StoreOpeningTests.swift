import Glibc
import Testing

@testable import ContentStore

@Suite struct StoreOpeningTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aStoreIsMadeOnDemandAndFoundAgain() throws {
        let path = folder.file("deep/down/store")
        _ = try LocalStore(at: path)
        let marker = String(decoding: try contents("\(path)/store.json"), as: UTF8.self)
        #expect(marker == "{\"format\":\"retort-store/1\"}\n")
        _ = try LocalStore(at: path)
        #expect(
            try FileSystem.names(in: path) == ["actions", "blobs", "local", "quarantine", "roots", "store.json"])
    }

    @Test func readingOnlyMakesNothing() throws {
        let path = folder.file("store")
        let store = try LocalStore(at: path, access: .readOnly)
        #expect(try store.lookup(Digest(of: "x")) == .miss)
        #expect(try store.missing(among: [Digest(of: "x")]) == [Digest(of: "x")])
        #expect(try FileSystem.status(of: path) == nil)
        let error = try #require(throws: ContentStoreError.self) { try store.write([1]) }
        #expect(error.problem == "it was opened only for reading")
    }

    @Test func aFolderThatHoldsSomethingElseIsNoStore() throws {
        try folder.write("thesis/chapter1.tex", "x")
        for access in [LocalStore.Access.readWrite, .readOnly] {
            let error = try #require(throws: ContentStoreError.self) {
                try LocalStore(at: folder.file("thesis"), access: access)
            }
            #expect(error.code == .notAStore)
            #expect(
                error.description
                    == "\(folder.file("thesis")): this folder is no Retort store: it has no store.json, but holds "
                    + "chapter1.tex; choose another folder with --store, or an empty one")
        }
        #expect(try listing(folder.file("thesis")) == ["chapter1.tex"])
    }

    @Test func anEmptyFolderOrAReadmeOrAnInterruptedCreationIsTakenOver() throws {
        try folder.write("store/README.md", "x")
        try folder.write("store/.gitignore", "*")
        try FileSystem.makeFolders(folder.file("store/blobs"))
        let store = try LocalStore(at: folder.file("store"))
        let blob = try store.write([1])
        try store.flush()
        #expect(try LocalStore(at: folder.file("store")).contains(blob))
    }

    @Test func aStoreOfANewerRetortIsLeftAlone() throws {
        try folder.write("store/store.json", #"{"format":"retort-store/2"}"#)
        let error = try #require(throws: ContentStoreError.self) { try LocalStore(at: folder.file("store")) }
        #expect(error.code == .newerFormat)
        #expect(
            error.description
                == "\(folder.file("store")): this store was made by a newer Retort (store format 2; this program knows "
                + "1); update Retort, or choose another folder with --store")
        #expect(try listing(folder.file("store")) == ["store.json"])
    }

    @Test(arguments: [
        "", "{}", "{\"format\":7}", "{\"format\":\"other/1\"}", "not json", "{\"format\":\"retort-store/0\"}",
    ])
    func aMarkerThatSaysSomethingElseIsRefused(text: String) throws {
        try folder.write("store/store.json", text)
        let error = try #require(throws: ContentStoreError.self) { try LocalStore(at: folder.file("store")) }
        #expect(error.code == .notAStore)
        #expect(error.subject == folder.file("store/store.json"))
    }

    @Test func aFileIsNoStore() throws {
        try folder.write("store", "x")
        for access in [LocalStore.Access.readWrite, .readOnly] {
            let error = try #require(throws: ContentStoreError.self) {
                try LocalStore(at: folder.file("store"), access: access)
            }
            #expect(
                error.description
                    == "\(folder.file("store")): this is a file, not a folder; choose another path with --store")
        }
    }

    @Test(.enabled(if: geteuid() != 0, "the superuser may write everywhere"))
    func aFolderThatMayNotBeWrittenIsNamed() throws {
        mkdir(folder.file("locked"), 0o555)
        let error = try #require(throws: ContentStoreError.self) { try LocalStore(at: folder.file("locked/store")) }
        #expect(error.errno == EACCES)
        #expect(error.description.contains("Permission denied; check who owns it and its mode"))
    }

    @Test func temporaryFilesOfTheDeadAreRemovedAndThoseOfTheLivingStay() throws {
        let path = folder.file("store")
        let living = try LocalStore(at: path)
        let blob = try living.write([1, 2, 3])
        try folder.write("store/local/tmp/4711-dead/7", "half-written")
        try folder.write("store/local/tmp/4711-dead/lock", "")
        try folder.write("store/local/tmp/stray", "x")
        _ = try LocalStore(at: path)
        let left = try listing(folder.file("store/local/tmp"))
        let own = try #require(living.session).folder.split(separator: "/").last!
        #expect(left == ["\(own)/1", "\(own)/heartbeat", "\(own)/lock", "\(own)/uses"])
        try living.flush()
        #expect(try LocalStore(at: path).contains(blob))
    }

    @Test func aStoreClosedLeavesNoTemporaryFiles() throws {
        do {
            let store = try LocalStore(at: folder.file("store"))
            _ = try store.write([1, 2, 3])
        }
        #expect(try listing(folder.file("store")).filter { !$0.hasSuffix(".lock") } == ["store.json"])
    }
}
