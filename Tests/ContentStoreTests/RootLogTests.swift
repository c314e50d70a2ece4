import CanonicalJSON
import Glibc
import Testing

@testable import ContentStore

/// Roots that grow as a run goes on.
@Suite struct RootLogTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func open() throws -> LocalStore { try LocalStore(at: folder.file("store")) }

    private func publish(_ name: String, in store: LocalStore) throws -> Digest {
        _ = try CollectionTests.publish(name, in: store)
        return CollectionTests.key(name)
    }

    @Test func whatALogHasStaysAfterAKillAndTheRestIsCollected() async throws {
        let path = "/tmp/retort-store-log-\(getpid())"
        defer { try? DirectoryWalk.remove(path) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try LocalStore(at: path)
            let log = try RootLog("unfinished-x", in: store)
            for name in ["found", "first", "second", "left out"] { _ = try CollectionTests.publish(name, in: store) }
            try log.add(CollectionTests.key("first")) { [CollectionTests.key("found")] }
            try log.add(CollectionTests.key("second")) { [CollectionTests.key("left out")] }
            kill(getpid(), SIGKILL)
        }
        let store = try LocalStore(at: path)
        #expect(try store.collect(grace: -1, dryRun: false).actions == [CollectionTests.key("left out")])
        let kept = ["found", "first", "second"].map(CollectionTests.key)
        #expect(try store.lookup(kept).allSatisfy { $0.outputs != nil })
        #expect(try store.roots() == [Root(name: "unfinished-x", actions: kept)])
        #expect(try store.audit().isClean)
    }

    @Test func aLogAddsToTheRootOfItsNameAndGoesWithIt() throws {
        let store = try open()
        let (a, b) = (try publish("a", in: store), try publish("b", in: store))
        try store.setRoot(Root(name: "run", actions: [a]))
        try RootLog("run", in: store).add(b) { [a] }
        #expect(try store.roots() == [Root(name: "run", actions: [a, b])])
        #expect(try store.statistics().roots == 1)
        try store.settleRoot(Root(name: "run", actions: [b]))
        #expect(try store.roots() == [Root(name: "run", actions: [b])])
        try RootLog("run", in: store).add(a) { [] }
        #expect(try store.removeRoot("run"))
        #expect(try store.roots().isEmpty)
        #expect(try !store.removeRoot("run"))
    }

    @Test func aLogThatSomebodyRemovedBeginsAnewWithEverything() throws {
        let store = try open()
        let keys = (0..<3).map { Digest(of: "key \($0)") }
        let log = try RootLog("run", in: store)
        try log.add(keys[0]) { [] }
        #expect(try open().removeRoot("run"))
        try log.add(keys[1]) { [keys[0]] }
        #expect(try store.roots() == [Root(name: "run", actions: [keys[0], keys[1]])])
        try log.add(keys[2]) {
            Issue.record("the file is still there")
            return []
        }
        #expect(try store.roots() == [Root(name: "run", actions: keys)])
    }

    @Test func aKeyThatIsCutOffIsLeftOutAndOthersFollowIt() throws {
        let store = try open()
        let key = Digest(of: "key")
        try RootLog("run", in: store).add(key) { [] }
        let path = folder.file("store/roots/run.keys")
        let file = try FileSystem.open(path, O_WRONLY | O_APPEND)
        try FileSystem.write([1, 2, 3], to: file.raw, path)
        #expect(try store.roots() == [Root(name: "run", actions: [key])])
        let next = Digest(of: "next")
        try RootLog("run", in: store).add(next) { [] }
        #expect(try Set(store.roots()[0].actions).isSuperset(of: [key, next]))
    }
}
