import CanonicalJSON
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import ContentStore

/// Several threads, store objects and processes on one folder. A store object has its own session and its own locks, so
/// two of them in one process meet as two processes do.
@Suite struct SharingTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func open() throws -> LocalStore { try LocalStore(at: folder.file("store")) }

    @Test func manyWritersOfTheSameAndOfDifferentContentAgree() throws {
        let stores = try (0..<3).map { _ in try open() }
        let errors = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 24) { thread in
            do {
                let store = stores[thread % stores.count]
                for step in 0..<40 {
                    let content = Array("content \((thread * step) % 50)".utf8)
                    let blob = try store.write(content)
                    let key = Digest(of: "key \((thread * step) % 50)")
                    try store.publish(
                        ActionResult(preimage: .null, outputs: .string(blob.hex), references: [blob]), for: key)
                    guard try store.read(blob, limit: 100) == content else {
                        throw ContentStoreError(.malformed, "\(blob)", "other content", remedy: "")
                    }
                }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
        }
        #expect(errors.withLock { $0 } == [])
        let other = try open()
        for number in Set((0..<24).flatMap { thread in (0..<40).map { thread * $0 % 50 } }) {
            let blob = Digest(of: "content \(number)")
            #expect(try other.lookup(Digest(of: "key \(number)")) == .hit(outputs: .string(blob.hex)))
            #expect(try other.read(blob, limit: 100) == Array("content \(number)".utf8))
        }
    }

    @Test func aStoreMadeBySeveralAtOnceIsOneStore() throws {
        let errors = Mutex<[String]>([])
        for round in 0..<40 {
            let path = folder.file("store-\(round)")
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                do {
                    _ = try LocalStore(at: path)
                } catch {
                    errors.withLock { $0.append("\(error)") }
                }
            }
        }
        #expect(errors.withLock { $0 } == [])
    }

    @Test func onlyOneHoldsALeaseAndTheNextWaits() throws {
        let (first, second) = (try open(), try open())
        let key = Digest(of: "key")
        let lease = try #require(try first.lease(key))
        #expect(try first.lease(key) == nil)
        #expect(try second.lease(key) == nil)
        #expect(try second.lease(Digest(of: "other")) != nil)
        let order = Mutex<[String]>([])
        let group = DispatchGroup()
        DispatchQueue.global().async(group: group) {
            let next = try? second.awaitLease(key)
            order.withLock { $0.append("second") }
            next?.release()
        }
        order.withLock { $0.append("first") }
        lease.release()
        group.wait()
        #expect(order.withLock { $0 } == ["first", "second"])
        #expect(try first.lease(key) != nil)
        #expect(try FileSystem.names(in: folder.file("store/local/leases")) == [])
    }

    @Test func leasesExcludeEachOtherUnderLoad() throws {
        let stores = try (0..<2).map { _ in try open() }
        let key = Digest(of: "key")
        let inside = Mutex((now: 0, most: 0, total: 0))
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for _ in 0..<50 {
                guard let lease = try? stores[thread % 2].awaitLease(key) else { continue }
                inside.withLock { state in
                    state.now += 1
                    state.most = max(state.most, state.now)
                    state.total += 1
                }
                sched_yield()
                inside.withLock { $0.now -= 1 }
                lease.release()
            }
        }
        let state = inside.withLock { $0 }
        #expect(state.most == 1)
        #expect(state.total == 400)
    }

    @Test func aKilledProcessLeavesWhatItPublishedAndNothingElse() async throws {
        let path = "/tmp/retort-store-killed-\(getpid())"
        defer { try? DirectoryWalk.remove(path) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try LocalStore(at: path)
            let done = try store.write(Array("finished".utf8))
            try store.publish(
                ActionResult(preimage: .null, outputs: "finished", references: [done]), for: Digest(of: "finished"))
            _ = try store.lease(Digest(of: "unfinished"))
            _ = try store.write(Array("unfinished".utf8))
            kill(getpid(), SIGKILL)
        }
        #expect(try listing("\(path)/blobs").count == 1)
        #expect(try listing("\(path)/local/tmp").count == 3, "its lock, its log and a temporary file")
        let store = try LocalStore(at: path)
        #expect(try store.lookup(Digest(of: "finished")) == .hit(outputs: "finished"))
        #expect(try store.read(Digest(of: "finished"), limit: 8) == Array("finished".utf8))
        #expect(try !store.contains(Digest(of: "unfinished")))
        #expect(try listing("\(path)/local/tmp").count == 2, "this session's lock and log")
        #expect(try store.lease(Digest(of: "unfinished")) != nil, "the lease died with its holder")
    }
}
