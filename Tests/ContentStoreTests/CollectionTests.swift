import CanonicalJSON
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import ContentStore

@Suite struct CollectionTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func open() throws -> LocalStore { try LocalStore(at: folder.file("store")) }

    static func key(_ name: String) -> Digest { Digest(of: "key \(name)") }

    /// A result with one blob of its own, and the blobs given.
    static func publish(_ name: String, in store: LocalStore, sharing shared: [Digest] = []) throws -> Digest {
        let blob = try store.write(Array("content \(name)".utf8))
        try store.publish(
            ActionResult(preimage: .null, outputs: .string(name), references: [blob] + shared), for: key(name))
        return blob
    }

    @Test func whatNoRootNeedsGoesAndTheRestStaysForItsReason() throws {
        let shared: Digest
        do {
            let store = try open()
            shared = try store.write(Array("shared".utf8))
            _ = try CollectionTests.publish("kept", in: store, sharing: [shared])
            _ = try CollectionTests.publish("garbage", in: store, sharing: [shared])
            let shard = try store.write(Array("shard".utf8))
            let artifact = try Artifact(
                type: ArtifactType(name: "a", version: 1),
                shards: [Shard(prefix: .root, digest: shard, records: 1, bytes: 5)])
            try store.write(artifact)
            _ = try store.write(Array("orphan".utf8))
            try store.setRoot(Root(name: "run-a", actions: [CollectionTests.key("kept")]))
            try store.setRoot(Root(name: "pin-b", artifacts: [artifact.digest]))
            try store.flush()
        }
        let before = try listing(folder.file("store"))
        let store = try open()
        let young = try store.collect(grace: 3600)
        #expect(young.removed.files == 0)
        #expect(young.keptRecent.files == 3)

        let dry = try store.collect(grace: -1)
        #expect(dry.isDryRun)
        #expect(dry.actions == [CollectionTests.key("garbage")])
        #expect(Set(dry.blobs) == [Digest(of: "content garbage"), Digest(of: "orphan")])
        #expect(dry.keptByRoot.map(\.root) == ["pin-b", "run-a"])
        #expect(dry.keptByRoot.map(\.amount.files) == [2, 3])
        #expect(dry.keptInUse.files == 0 && dry.keptRecent.files == 0)
        #expect(
            try listing(folder.file("store")).filter { !$0.hasPrefix("local") }
                == before.filter { !$0.hasPrefix("local") })

        var real = try store.collect(grace: -1, dryRun: false)
        real.isDryRun = true
        #expect(real == dry)
        #expect(try store.audit().isClean)
        #expect(try store.statistics().blobs == 4)
        #expect(try store.lookup(CollectionTests.key("kept")).outputs != nil)
        #expect(try store.lookup(CollectionTests.key("garbage")) == .miss)

        #expect(try store.removeRoot("pin-b"))
        #expect(try !store.removeRoot("pin-b"))
        #expect(try open().collect(grace: -1, dryRun: false).removed.files == 2)
    }

    @Test func whatALivingSessionFoundOrWroteStays() throws {
        do { _ = try CollectionTests.publish("old", in: try open()) }
        let user = try open()
        #expect(try user.lookup(CollectionTests.key("old")).outputs != nil)
        let new = try user.write(Array("new".utf8))
        try user.flush()
        let collected = try open().collect(grace: -1, dryRun: false)
        #expect(collected.removed.files == 0)
        #expect(collected.keptInUse.files == 3)
        #expect(try user.read(new, limit: 10) == Array("new".utf8))
        #expect(try user.read(Digest(of: "content old"), limit: 100) == Array("content old".utf8))
    }

    @Test func aRootThatCannotBeReadStopsTheCollection() throws {
        do { _ = try CollectionTests.publish("a", in: try open()) }
        try folder.write("store/roots/run-x.json", "{}")
        let error = try #require(throws: ContentStoreError.self) { try open().collect(grace: -1, dryRun: false) }
        #expect(error.subject == folder.file("store/roots/run-x.json"))
        #expect(try open().statistics().blobs == 1)
        try folder.write("store/roots/run-x.json", try Root(name: "run-x", artifacts: [Digest(of: "lost")]).document)
        let lost = try #require(throws: ContentStoreError.self) { try open().collect(grace: -1, dryRun: false) }
        #expect(lost.code == .missingBlob)
        #expect(lost.subject == "the root run-x")
        #expect(try open().statistics().blobs == 1)
    }

    @Test(arguments: ["", ".x", "a/b", "../x", "ä", "a b", String(repeating: "a", count: 201)])
    func namesOfRootsStayInTheirFolder(name: String) {
        #expect(throws: ContentStoreError.self) { try Root(name: name) }
    }

    @Test func rootsRoundTrip() throws {
        let store = try open()
        let root = try Root(
            name: "run-a.1", actions: [Digest(of: "b"), Digest(of: "a"), Digest(of: "a")], artifacts: [Digest(of: "c")])
        try store.setRoot(root)
        try store.setRoot(root)
        #expect(try store.roots() == [root])
    }

    /// Workers look up, recompute what is missing and read it back, each time as a new session, while collections run
    /// that keep nothing but what is in use. More rounds with RETORT_GC_ROUNDS.
    @Test func aCollectionBesideRunningWorkNeverTakesWhatItNeeds() throws {
        let rounds = getenv("RETORT_GC_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 60
        let errors = Mutex<[String]>([])
        let hits = Mutex(0)
        let finished = Mutex(0)
        let path = folder.file("store")
        _ = try open()
        let removed = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            do {
                if thread == 3 {
                    while finished.withLock({ $0 < 3 }) {
                        let store = try LocalStore(at: path)
                        let files = try store.collect(grace: -1, dryRun: false).removed.files
                        removed.withLock { $0 += files }
                    }
                    return
                }
                defer { finished.withLock { $0 += 1 } }
                var generator = SeededGenerator(seed: UInt64(thread))
                for _ in 0..<rounds {
                    let store = try LocalStore(at: path)
                    for _ in 0..<5 {
                        let name = "\(Int.random(in: 0..<12, using: &generator))"
                        if try store.lookup(CollectionTests.key(name)).outputs != nil {
                            hits.withLock { $0 += 1 }
                        } else {
                            _ = try CollectionTests.publish(name, in: store)
                        }
                        let content = try store.read(Digest(of: "content \(name)"), limit: 100)
                        guard content == Array("content \(name)".utf8) else { throw CancellationError() }
                    }
                }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
        }
        #expect(errors.withLock { $0 } == [])
        #expect(hits.withLock { $0 } > 0)
        #expect(removed.withLock { $0 } > 0)
        #expect(try open().audit().isClean)
    }
}
