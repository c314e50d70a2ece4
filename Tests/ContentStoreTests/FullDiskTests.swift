import CanonicalJSON
import Glibc
import Testing

@testable import ContentStore

/// What a collection must not touch is written down, however full the disk is; and nothing that a full disk cuts off
/// shifts what is written after it.
@Suite struct FullDiskTests {
    /// For the time of `body` no file of this process grows beyond `bytes`: it gets EFBIG, as others get ENOSPC.
    private static func limitingFiles(to bytes: UInt, _ body: () throws -> Void) throws {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        try #require(getrlimit(resource, &limit) == 0)
        signal(SIGXFSZ, SIG_IGN)
        let before = limit.rlim_cur
        limit.rlim_cur = rlim_t(bytes)
        try #require(setrlimit(resource, &limit) == 0)
        defer {
            limit.rlim_cur = before
            setrlimit(resource, &limit)
        }
        try body()
    }

    @Test(.enabled(if: SmallDisk.isPossible, "skipped: only the superuser can mount a small tmpfs"))
    func whatIsFinishedIsKeptFromCollectionAlthoughTheDiskIsFull() throws {
        let disk = try #require(SmallDisk(bytes: 4 << 20))
        let names = (0..<200).map { "\($0)" }
        let filler = "\(disk.path)/filler"
        do {
            let store = try LocalStore(at: "\(disk.path)/store")
            let log = try RootLog("unfinished-x", in: store)
            try log.prepare()
            for name in names + ["left out"] { _ = try CollectionTests.publish(name, in: store) }
            #expect(throws: ContentStoreError.self) {
                let file = try FileSystem.open(filler, O_WRONLY | O_CREAT)
                try FileSystem.write([UInt8](repeating: 1, count: 8 << 20), to: file.raw, filler)
            }
            #expect(throws: ContentStoreError.self) { try store.write([UInt8](repeating: 2, count: 100)) }
            for name in names { try log.add(CollectionTests.key(name)) { [] } }
        }
        try FileSystem.remove(filler)
        let store = try LocalStore(at: "\(disk.path)/store")
        #expect(try store.collect(grace: -1, dryRun: false).actions == [CollectionTests.key("left out")])
        #expect(try store.lookup(names.map(CollectionTests.key)).allSatisfy { $0.outputs != nil })
        #expect(try store.audit().isClean)
    }

    @Test(.enabled(if: SmallDisk.isPossible, "skipped: only the superuser can mount a small tmpfs"))
    func aLogThatHasNoRoomIsNotBegun() throws {
        let disk = try #require(SmallDisk(bytes: 64 << 10))
        let store = try LocalStore(at: "\(disk.path)/store")
        let log = try RootLog("unfinished-x", in: store)
        let filler = "\(disk.path)/filler"
        #expect(throws: ContentStoreError.self) {
            let file = try FileSystem.open(filler, O_WRONLY | O_CREAT)
            try FileSystem.write([UInt8](repeating: 1, count: 64 << 10), to: file.raw, filler)
        }
        let error = try #require(throws: ContentStoreError.self) { try log.prepare() }
        #expect(error.errno == ENOSPC)
        #expect(
            error.description.hasPrefix(
                "\(disk.path)/store/roots/unfinished-x.keys: reserving room for it failed: No space left on device; free "
            ))
        #expect(try store.roots().isEmpty)
        try FileSystem.remove(filler)
        try log.prepare()
        try log.add(Digest(of: "key")) { [] }
        #expect(try store.roots() == [Root(name: "unfinished-x", actions: [Digest(of: "key")])])
    }

    @Test func keysThatAFullDiskCutsOffAreWrittenAgainInStep() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let store = try LocalStore(at: folder.file("store"))
            let names = (0..<9).map { "\($0)" }
            for name in names + ["left out"] { _ = try CollectionTests.publish(name, in: store) }
            let log = try RootLog("unfinished-x", in: store)
            let keys = names.map(CollectionTests.key)
            // The sixth key is cut off in its middle.
            try FullDiskTests.limitingFiles(to: 5 * 32 + 7) {
                for key in keys[..<5] { try log.add(key) { [] } }
                let error = try #require(throws: ContentStoreError.self) { try log.add(keys[5]) { [] } }
                try #require(error.errno == EFBIG)
                // Now the file is full to the last byte.
                try #require(throws: ContentStoreError.self) { try log.add(keys[6]) { Array(keys[..<6]) } }
            }
            try log.add(keys[7]) { Array(keys[..<7]) }
            try log.add(keys[8]) { [] }
            try #require(try Set(store.roots()[0].actions).isSuperset(of: keys))
            try store.flush()
            let other = try LocalStore(at: folder.file("store"))
            // What this process has written is in use yet; what counts is that the log names it.
            let kept = try other.collect(grace: -1).keptByRoot
            try #require(kept.map(\.root) == ["unfinished-x"])
            try #require(kept[0].amount.files == 2 * keys.count)
        }
    }

    @Test func whatAProcessReliesUponAfterAFullDiskIsNotCollected() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let names = (0..<4).map { "\($0)" }
            do {
                let store = try LocalStore(at: folder.file("store"))
                for name in names + ["left out"] { _ = try CollectionTests.publish(name, in: store) }
            }
            let store = try LocalStore(at: folder.file("store"))
            // Two digests, a key and a blob, for each; the third is cut off in its middle.
            try FullDiskTests.limitingFiles(to: 2 * 32 + 13) {
                try #require(throws: ContentStoreError.self) { try store.lookup(names.map(CollectionTests.key)) }
            }
            try #require(try store.lookup(names.map(CollectionTests.key)).allSatisfy { $0.outputs != nil })
            let other = try LocalStore(at: folder.file("store"))
            let removed = try other.collect(grace: -1, dryRun: false)
            try #require(removed.actions == [CollectionTests.key("left out")])
            try #require(try other.audit().isClean)
        }
    }
}
