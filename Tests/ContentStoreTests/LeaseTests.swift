import CanonicalJSON
import Glibc
import Synchronization
import Testing

@testable import ContentStore

/// The right to run an action, among threads, store objects, processes and machines.
@Suite struct LeaseTests {
    let folder: TemporaryFolder
    let key = Digest(of: "key")

    init() throws { folder = try TemporaryFolder() }

    /// Leases of dead or stopped holders expire soon, so that the tests need not wait.
    private let hasty = LeaseTiming(beat: .milliseconds(20), expiry: .milliseconds(300))

    func open() throws -> LocalStore { try LocalStore(at: folder.file("store")) }

    @Test func onlyOneHoldsALeaseAndTheNextWaits() async throws {
        let (first, second) = (try open(), try open())
        let lease = try #require(try first.lease(key))
        #expect(try first.lease(key) == nil)
        #expect(try second.lease(key) == nil)
        #expect(try second.lease(Digest(of: "other")) != nil)
        let crowd = Crowd()
        crowd.enter()
        let waiting = Task { [key] in
            let next = try await second.awaitLease(key)
            crowd.enter()
            next.release()
        }
        #expect(lease.isHeld)
        crowd.leave()
        lease.release()
        #expect(!lease.isHeld)
        try await waiting.value
        #expect(crowd.counts.most == 1)
        #expect(crowd.counts.total == 2)
        #expect(try first.lease(key) != nil)
        #expect(try FileSystem.names(in: folder.file("store/local/leases")) == [])
    }

    @Test func leasesExcludeEachOtherUnderLoad() async throws {
        let stores = try (0..<2).map { _ in try open() }
        let inside = Crowd()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask { [key] in
                    for _ in 0..<25 {
                        let lease = try await stores[thread % 2].awaitLease(key)
                        inside.enter()
                        await Task.yield()
                        inside.leave()
                        lease.release()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(inside.counts.most == 1)
        #expect(inside.counts.total == 200)
    }

    /// How many are inside at once.
    private final class Crowd: Sendable {
        private let state = Mutex((now: 0, most: 0, total: 0))

        var counts: (now: Int, most: Int, total: Int) { state.withLock { $0 } }

        func enter() {
            state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
                state.total += 1
            }
        }

        func leave() { state.withLock { $0.now -= 1 } }
    }

    @Test func waitingEndsWithCancellationAndLeavesTheLeaseAlone() async throws {
        let (first, second) = (try open(), try open())
        let lease = try #require(try first.lease(key))
        let waiting = Task { [key] in _ = try await second.awaitLease(key) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(lease.isHeld)
    }

    @Test func theLeaseOfAStoppedProcessExpiresAndItSeesThatWhenItGoesOn() async throws {
        let path = folder.file("store")
        let timing = hasty
        let store = try LocalStore(at: path, timing: timing)
        let notes = folder.file("notes")
        // The child stops itself while it holds the lease; this process lets it go on once it has the lease.
        async let child = #expect(processExitsWith: .success) {
            [path = path as String, notes = notes as String] in
            let store = try LocalStore(
                at: path, timing: LeaseTiming(beat: .milliseconds(20), expiry: .milliseconds(300)))
            let lease = try #require(try store.lease(Digest(of: "key")))
            try #require(lease.isHeld)
            let file = try FileSystem.open(notes, O_WRONLY | O_CREAT | O_APPEND)
            try FileSystem.write(Array("\(getpid())\n".utf8), to: file.raw, notes)
            kill(getpid(), SIGSTOP)
            // The stop takes effect a moment after the call.
            while lease.isHeld { usleep(500) }
            // Publishing twice is no harm: whichever comes last stands, with all its blobs.
            let blob = try store.write(Array("late".utf8))
            try store.publish(
                ActionResult(preimage: .null, outputs: "late", references: [blob]), for: Digest(of: "key"))
            lease.release()
        }
        var stopped: Int32?
        while stopped == nil {
            await Task.yield()
            let text = String(decoding: try FileSystem.contents(of: notes, limit: 100) ?? [], as: UTF8.self)
            guard text.hasSuffix("\n"), let id = Int32(text.dropLast()) else { continue }
            let status = try FileSystem.open("/proc/\(id)/status", O_RDONLY)
            let bytes = try FileSystem.contents(of: status, "status", count: 4096)
            if String(decoding: bytes, as: UTF8.self).contains("State:\tT") { stopped = id }
        }
        let lease = try await store.awaitLease(key)
        let blob = try store.write(Array("early".utf8))
        try store.publish(ActionResult(preimage: .null, outputs: "early", references: [blob]), for: key)
        kill(try #require(stopped), SIGCONT)
        _ = await child
        #expect(lease.isHeld, "the old holder takes nothing back")
        lease.release()
        #expect(try open().lookup(key) == .hit(outputs: "late"))
        #expect(try open().audit().isClean)
        #expect(try FileSystem.names(in: folder.file("store/local/leases")) == [])
    }

    @Test func aLeaseOfAnotherMachineIsRespectedWhileItsHeartBeats() async throws {
        let store = try LocalStore(at: folder.file("store"), timing: hasty)
        // Another machine, whose locks are not seen here: its files alone.
        let heartbeat = "store/local/tmp/9-elsewhere/heartbeat"
        try folder.write(heartbeat, "another-machine 1\n")
        try folder.write("store/local/leases/\(key.hex)", "another-machine 9-elsewhere\n")
        #expect(try store.lease(key) == nil)
        _ = try open()
        #expect(try store.lease(key) == nil, "a session that starts takes neither its folder nor its lease")
        // It beats no more: the lease expires.
        let lease = try await store.awaitLease(key)
        #expect(lease.isHeld)
    }

    @Test func aLeaseWhoseHolderIsGoneIsFree() throws {
        let store = try open()
        try folder.write("store/local/leases/\(key.hex)", "another-machine 9-gone\n")
        #expect(try store.lease(key) != nil)
        try folder.write("store/local/leases/\(key.hex)", "\(Machine.identity) 9-gone\n")
        #expect(try store.lease(key) != nil)
        try folder.write("store/local/leases/\(key.hex)", "../../../etc/passwd\n")
        #expect(try store.lease(key) != nil)
    }
}

@Suite struct LeaseWatchTests {
    private struct Look {
        var beat: String?
        var inode: UInt64 = 1
        /// Seconds since the look before.
        var after: Double
    }

    /// At which of the looks, from 0, the lease had expired.
    private func expired(_ expiry: Duration, _ looks: [Look]) -> [Int] {
        var watch = LeaseWatch(expiry: expiry)
        var time = SuspendingClock().now
        return looks.enumerated().compactMap { index, look in
            time = time.advanced(by: .seconds(look.after))
            let sight = LeaseWatch.Sight(
                inode: look.inode, holder: Array("machine session".utf8), beat: look.beat.map { Array($0.utf8) })
            return watch.look(sight, at: time) ? index : nil
        }
    }

    @Test func expiresOnlyAfterNothingChangedForTheWholeTime() {
        let still = Look(beat: "2", inode: 2, after: 1)
        let looks = [
            Look(beat: "1", after: 0), Look(beat: "1", after: 1), Look(beat: "1", after: 1),
            // A beat starts the time afresh, and so does another holder.
            Look(beat: "2", after: 0.9), Look(beat: "2", after: 1), Look(beat: "2", after: 1), still, still, still,
            still,
        ]
        #expect(expired(.seconds(3), looks) == [9])
    }

    @Test func timeInWhichTheWatcherDidNotLookHardlyCounts() {
        let looks = (0..<5).map { _ in Look(beat: "1", after: 3600) }
        #expect(expired(.seconds(3), looks) == [3, 4])
    }

    @Test func aHolderWithoutAHeartbeatExpiresLikewise() {
        #expect(expired(.seconds(1), [Look(after: 0), Look(after: 0.5), Look(after: 0.5)]) == [2])
    }
}
