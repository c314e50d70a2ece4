import Glibc
import Synchronization
import Testing

@testable import ContentStore

@Suite struct StatCacheTests {
    /// The time as the cache sees it, moved by the test.
    final class Clock: Sendable {
        private let offset = Mutex(0)
        func advance(_ nanoseconds: Int) { offset.withLock { $0 += nanoseconds } }
        var now: Int {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return time.tv_sec * 1_000_000_000 + time.tv_nsec + offset.withLock { $0 }
        }
    }

    let folder: TemporaryFolder
    let clock = Clock()
    let long = 10 * StatCache.settlingTime

    init() throws { folder = try TemporaryFolder() }

    func cache() throws -> StatCache {
        let clock = clock
        return try StatCache(path: folder.file("stat-cache")) { clock.now }
    }

    @Test func aSettledFileIsReadOnce() throws {
        let file = try folder.write("data", "abc")
        clock.advance(long)
        let cache = try cache()
        for _ in 0..<3 {
            #expect(try cache.content(of: file) == FileContent(digest: Digest(of: "abc"), bytes: 3))
        }
        #expect(cache.hashedFiles == 1)
    }

    @Test func aFileTouchedWithinTheRacyWindowIsReadEachTime() throws {
        let file = try folder.write("data", "abc")
        let cache = try cache()
        _ = try cache.content(of: file)
        // The same size within the same tick: stat may say what it said before.
        try folder.write("data", "xyz")
        #expect(try cache.content(of: file).digest == Digest(of: "xyz"))
        #expect(cache.hashedFiles == 2)
        clock.advance(long)
        _ = try cache.content(of: file)
        _ = try cache.content(of: file)
        #expect(cache.hashedFiles == 3)
    }

    @Test func aFileFromTheFutureIsNeverRemembered() throws {
        let file = try folder.write("data", "abc")
        clock.advance(-long)
        let cache = try cache()
        for _ in 0..<2 { _ = try cache.content(of: file) }
        #expect(cache.hashedFiles == 2)
    }

    @Test func aChangeHiddenBehindAnOldModificationTimeIsSeen() throws {
        let file = try folder.write("data", "abc")
        var times = [timespec(tv_sec: 1_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000, tv_nsec: 0)]
        utimensat(AT_FDCWD, file, &times, 0)
        clock.advance(long)
        let cache = try cache()
        _ = try cache.content(of: file)
        let descriptor = try FileSystem.open(file, O_WRONLY)
        try Array("xyz".utf8).withUnsafeBytes { try FileSystem.write($0, to: descriptor.raw, file) }
        utimensat(AT_FDCWD, file, &times, 0)
        #expect(try cache.content(of: file).digest == Digest(of: "xyz"))
    }

    @Test func twoFilesThatSwapPlacesAreSeen() throws {
        let a = try folder.write("a", "1")
        let b = try folder.write("b", "2")
        clock.advance(long)
        let cache = try cache()
        _ = try (cache.content(of: a), cache.content(of: b))
        rename(a, folder.file("c"))
        rename(b, a)
        rename(folder.file("c"), b)
        #expect(try cache.content(of: a).digest == Digest(of: "2"))
        #expect(try cache.content(of: b).digest == Digest(of: "1"))
    }

    @Test func survivesASaveAndIsAsGoodAsEmptyWhenDamaged() throws {
        let file = try folder.write("data", "abc")
        clock.advance(long)
        let first = try cache()
        _ = try first.content(of: file)
        try first.save()
        let second = try cache()
        #expect(try second.content(of: file).digest == Digest(of: "abc"))
        #expect(second.hashedFiles == 0)
        let intact = try contents(folder.file("stat-cache"))
        for position in intact.indices {
            var damaged = intact
            damaged[position] ^= 1
            #expect(StatCacheDocument.decode(damaged) == nil, "byte \(position)")
            #expect(StatCacheDocument.decode(Array(intact[..<position])) == nil)
        }
        try folder.write("stat-cache", "rubbish")
        let third = try cache()
        #expect(try third.content(of: file).digest == Digest(of: "abc"))
        #expect(third.hashedFiles == 1)
    }

    @Test func whatIsNoFileIsRefused() throws {
        let cache = try cache()
        #expect(throws: ContentStoreError.self) { try cache.content(of: folder.path) }
        #expect(throws: ContentStoreError.self) { try cache.content(of: folder.file("absent")) }
    }
}
