import Glibc
import Testing

@testable import ContentStore

@Suite struct ScratchTests {
    @Test func aScratchFolderIsMadeWhenItIsAskedForAndGoesWithAllInIt() throws {
        let folder = try TemporaryFolder()
        let store = try LocalStore(at: folder.file("store"))
        let session = try #require(store.session).folder
        let before = try FileSystem.names(in: session)
        let scratch = try store.makeScratchDirectory()
        #expect(try FileSystem.names(in: session) == before)
        scratch.remove()
        #expect(scratch.path.hasPrefix("/"))
        #expect(scratch.path == scratch.path)
        #expect(try FileSystem.status(of: scratch.path)?.kind == .directory)
        #expect(scratch.failure == nil)
        try FileSystem.makeFolder("\(scratch.path)/deeper")
        scratch.remove()
        #expect(try FileSystem.names(in: session) == before)
    }

    @Test func whyAScratchFolderCannotBeMadeIsKept() throws {
        let folder = try TemporaryFolder()
        let store = try LocalStore(at: folder.file("store"))
        let scratch = try store.makeScratchDirectory()
        // What only an accident can do.
        try DirectoryWalk.remove(try #require(store.session).folder)
        let path = scratch.path
        let failure = try #require(scratch.failure as? ContentStoreError)
        #expect(
            failure.description == "\(path): creating it failed: No such file or directory; check the path")
    }
}
