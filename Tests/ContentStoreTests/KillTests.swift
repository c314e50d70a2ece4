import CanonicalJSON
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import ContentStore

/// Real processes, killed at real moments. More rounds with RETORT_KILL_ROUNDS.
@Suite struct KillTests {
    static let rounds = getenv("RETORT_KILL_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 6

    /// How many kills one store lives through: everything in it is read after each.
    static let lives = 8

    /// Writes blobs of several sizes and publishes results, noting each that was said to be durable, until killed.
    static func work(_ path: String, seed: UInt64, killAfter: Int) throws {
        var generator = SeededGenerator(seed: seed)
        let store = try LocalStore(at: "\(path)/store")
        let notes = try FileSystem.open("\(path)/durable", O_WRONLY | O_CREAT | O_APPEND)
        let raw = notes.raw
        let killer = Mutex(killAfter)
        for step in 0... {
            let count = step % 50 == 49 ? 5_000_000 : Int.random(in: 0...3000, using: &generator)
            let content = generator.bytes(count)
            let blob = try store.write(content)
            let key = Digest(of: "\(seed) \(step)")
            let result = ActionResult(preimage: .null, outputs: .string(blob.hex), references: [blob])
            try store.submit(result, for: key) { outcome in
                guard case .success = outcome else { return }
                key.withRawBytes { _ = Glibc.write(raw, $0.baseAddress, 32) }
                let left = killer.withLock { left in
                    left -= 1
                    return left
                }
                if left == 0 { DispatchQueue.global().async { Glibc.kill(getpid(), SIGKILL) } }
            }
        }
    }

    @Test func whatWasDurableSurvivesEveryKillAndNothingElseIsSeen() async throws {
        var generator = SeededGenerator(seed: 16)
        for first in stride(from: 0, to: KillTests.rounds, by: KillTests.lives) {
            let path = "/tmp/retort-store-kills-\(getpid())-\(first)"
            try FileSystem.makeFolders(path)
            defer { try? DirectoryWalk.remove(path) }
            for round in first..<min(first + KillTests.lives, KillTests.rounds) {
                try await kill(path, round, &generator)
            }
        }
    }

    private func kill(_ path: String, _ round: Int, _ generator: inout SeededGenerator) async throws {
        let seed = generator.next()
        let after = Int.random(in: 1...250, using: &generator)
        let moment: Comment = "round \(round), seed \(seed), after \(after)"
        await #expect(processExitsWith: .signal(SIGKILL), moment) {
            [path = path as String, seed = seed as UInt64, after = after as Int] in
            try KillTests.work(path, seed: seed, killAfter: after)
        }
        let store = try LocalStore(at: "\(path)/store")
        #expect(try listing("\(path)/store/local/tmp").count == 3, "only this session's own files are left: \(moment)")
        let audit = try store.audit()
        #expect(audit.isClean, "\(moment): \(audit)")
        let durable = try contents("\(path)/durable")
        let keys = stride(from: 0, to: durable.count / 32 * 32, by: 32).map {
            Digest(bytes: Array(durable[$0..<$0 + 32]))!
        }
        #expect(keys.count >= after, moment)
        #expect(try store.lookup(keys).allSatisfy { $0.outputs != nil }, moment)
    }

    /// More rounds with RETORT_RACE_ROUNDS.
    @Test(arguments: 0..<(getenv("RETORT_RACE_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 1))
    func severalProcessesShareOneStore(round: Int) async throws {
        let path = "/tmp/retort-store-shared-\(getpid())"
        try FileSystem.makeFolders(path)
        defer { try? DirectoryWalk.remove(path) }
        await withTaskGroup(of: Void.self) { group in
            for process in 0..<3 {
                group.addTask {
                    await #expect(processExitsWith: .success) {
                        [path = path as String, process = process as Int] in
                        let store = try LocalStore(at: "\(path)/store")
                        for step in 0..<120 {
                            let name = "\((step + process * 20) % 100)"
                            let key = Digest(of: "key \(name)")
                            let lease = try await store.awaitLease(key)
                            if try store.lookup(key).outputs == nil {
                                let blob = try store.write(Array("content \(name)".utf8))
                                let result = ActionResult(
                                    preimage: .null, outputs: .integer(Int64(process)), references: [blob])
                                try store.publish(result, for: key)
                                let notes = try FileSystem.open("\(path)/computed", O_WRONLY | O_CREAT | O_APPEND)
                                try key.bytes.withUnsafeBytes { try FileSystem.write($0, to: notes.raw, "computed") }
                            }
                            lease.release()
                            let content = try store.read(Digest(of: "content \(name)"), limit: 100)
                            try #require(content == Array("content \(name)".utf8))
                        }
                    }
                }
            }
        }
        let store = try LocalStore(at: "\(path)/store")
        #expect(try store.audit().isClean)
        #expect(try store.statistics().actions == 100)
        #expect(try contents("\(path)/computed").count == 100 * 32, "each was computed once, by whoever held its lease")
    }
}
