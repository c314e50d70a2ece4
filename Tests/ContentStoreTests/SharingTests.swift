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
        #expect(try listing("\(path)/local/tmp").count == 4, "its lock, log, heartbeat and a temporary file")
        let store = try LocalStore(at: path)
        #expect(try store.lookup(Digest(of: "finished")) == .hit(outputs: "finished"))
        #expect(try store.read(Digest(of: "finished"), limit: 8) == Array("finished".utf8))
        #expect(try !store.contains(Digest(of: "unfinished")))
        #expect(try listing("\(path)/local/tmp").count == 3, "this session's own files")
        #expect(try store.lease(Digest(of: "unfinished")) != nil, "the lease died with its holder")
    }
}
