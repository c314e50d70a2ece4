import CanonicalJSON
import Glibc
import Testing

@testable import ContentStore

/// A file system of a test's own, of a bounded size. Only the superuser can make one.
final class SmallDisk: Sendable {
    let path: String

    init?(bytes: Int) {
        guard let folder = try? TemporaryFolder() else { return nil }
        self.folder = folder
        path = folder.path
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else { return nil }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    private let folder: TemporaryFolder

    static let isPossible = SmallDisk(bytes: 1 << 20) != nil
}

@Suite struct HardshipTests {
    @Test(.enabled(if: SmallDisk.isPossible, "skipped: only the superuser can mount a small tmpfs"))
    func aFullDiskIsSaidClearlyAndLosesNothing() throws {
        let disk = try #require(SmallDisk(bytes: 1 << 20))
        var generator = SeededGenerator(seed: 15)
        var published: [(key: Digest, blob: Digest, content: [UInt8])] = []
        var failure: ContentStoreError?
        let store = try LocalStore(at: "\(disk.path)/store")
        for number in 0..<100 where failure == nil {
            let content = generator.noise(40_000)
            let key = Digest(of: "key \(number)")
            do {
                let blob = try store.write(content)
                try store.publish(ActionResult(preimage: .null, outputs: .null, references: [blob]), for: key)
                published.append((key, blob, content))
            } catch let error as ContentStoreError {
                failure = error
            }
        }
        let error = try #require(failure, "40 MB fitted into 1 MB")
        #expect(error.code == .system)
        #expect(error.errno == ENOSPC)
        #expect(error.description.contains("No space left on device; free some space on that disk and run again"))
        #expect(published.count > 5)

        let large = generator.noise(6_000_000)
        #expect(throws: ContentStoreError.self) { try store.write(large) }
        let other = try LocalStore(at: "\(disk.path)/store", access: .readOnly)
        for (key, blob, content) in published {
            #expect(try other.lookup(key) == .hit(outputs: .null))
            #expect(try other.read(blob, limit: content.count) == content)
        }
        #expect(try other.audit().isClean)

        // Room is made: the same store goes on.
        unlink(store.layout.blob(published[0].blob))
        unlink(store.layout.blob(published[1].blob))
        let blob = try store.write(Array("a little".utf8))
        try store.publish(
            ActionResult(preimage: .null, outputs: .null, references: [blob]), for: Digest(of: "after"))
        #expect(try LocalStore(at: "\(disk.path)/store").lookup(Digest(of: "after")) == .hit(outputs: .null))
    }

    @Test func fewFileHandlesSuffice() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            let folder = try TemporaryFolder()
            let store = try LocalStore(at: folder.file("store"))
            let keys = (0..<300).map { Digest(of: "key \($0)") }
            for key in keys {
                let blob = try store.write(Array("content of \(key)".utf8))
                try store.submit(ActionResult(preimage: .null, outputs: .null, references: [blob]), for: key) { _ in }
            }
            try store.flush()
            try #require(try LocalStore(at: folder.file("store")).lookup(keys).allSatisfy { $0.outputs != nil })
            try #require(try store.audit().isClean)
        }
    }

    @Test func tooFewFileHandlesAreSaidClearly() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let store = try LocalStore(at: folder.file("store"))
            let blob = try store.write([1, 2, 3])
            try store.flush()
            var limit = rlimit(rlim_cur: 3, rlim_max: 64)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            defer {
                // Cleaning up needs handles again.
                limit.rlim_cur = 64
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            }
            do {
                _ = try store.read(blob, limit: 3)
                Issue.record("a file was opened beyond the limit")
            } catch let error as ContentStoreError {
                try #require(error.errno == EMFILE)
                try #require(error.description.hasSuffix("raise the limit (ulimit -n), or lower --jobs"))
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "skipped: only the superuser can become someone else"))
    func aStoreOfSomebodyElseIsReadAndNotWritten() async throws {
        let path = "/tmp/retort-store-foreign-\(getpid())"
        defer { try? DirectoryWalk.remove(path) }
        let store = try LocalStore(at: path)
        let blob = try store.write([1, 2, 3])
        try store.publish(
            ActionResult(preimage: .null, outputs: "x", references: [blob]), for: Digest(of: "key"))
        await #expect(processExitsWith: .success) { [path = path as String] in
            try #require(setgid(65534) == 0 && setuid(65534) == 0)
            let store = try LocalStore(at: path, access: .readOnly)
            try #require(try store.lookup(Digest(of: "key")) == .hit(outputs: "x"))
            try #require(try store.read(Digest(of: [1, 2, 3]), limit: 3) == [1, 2, 3])
            do {
                _ = try LocalStore(at: path)
                Issue.record("somebody else's store was opened for writing")
            } catch let error as ContentStoreError {
                try #require(error.errno == EACCES)
                try #require(error.description.contains("Permission denied; check who owns it and its mode"))
            }
        }
    }

    @Test(.enabled(if: SmallDisk.isPossible, "skipped: only the superuser can mount a small tmpfs"))
    func aReadOnlyDiskIsReadAndNotWritten() throws {
        let disk = try #require(SmallDisk(bytes: 1 << 22))
        do {
            let store = try LocalStore(at: "\(disk.path)/store")
            let blob = try store.write([1, 2, 3])
            try store.publish(
                ActionResult(preimage: .null, outputs: "x", references: [blob]), for: Digest(of: "key"))
        }
        // The store's queue may close its last file a moment after the store is gone; until then the disk is busy.
        var tries = 0
        while mount("tmpfs", disk.path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) != 0, errno == EBUSY, tries < 10_000
        {
            tries += 1
            usleep(1000)
        }
        let store = try LocalStore(at: "\(disk.path)/store", access: .readOnly)
        #expect(try store.lookup(Digest(of: "key")) == .hit(outputs: "x"))
        #expect(try store.audit().isClean)
        let error = try #require(throws: ContentStoreError.self) { try LocalStore(at: "\(disk.path)/store") }
        #expect(error.errno == EROFS)
        #expect(error.description.contains("choose a store on a file system that can be written"))
    }
}
