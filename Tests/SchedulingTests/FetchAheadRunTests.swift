import CanonicalJSON
import ContentStore
import Foundation
import StageGraph
import Synchronization
import Testing

@testable import Scheduling

/// Runs whose inputs lie in a store elsewhere.
@Suite struct FetchAheadRunTests {
    /// Another machine's store. It holds back the blobs it was told to until several of them have been asked for.
    private final class Distant: Upstream {
        private let store: LocalStore
        private let heldBack: Set<Digest>
        private let condition = NSCondition()
        private let state = Mutex((underWay: 0, most: 0, asked: [Digest]()))
        private let deadline = Date() + 10
        private static let enough = 4

        init(_ store: LocalStore, holdingBack blobs: [Digest]) {
            self.store = store
            heldBack = Set(blobs)
        }

        /// How many of those held back were under way at once.
        var most: Int { state.withLock { $0.most } }
        var asked: [Digest] { state.withLock { $0.asked } }

        func fetch(_ digest: Digest, limit: Int, to path: String) -> String? {
            state.withLock { $0.asked.append(digest) }
            if heldBack.contains(digest) { holdBack() }
            guard let file = try? store.blobFile(digest), let bytes = FileManager.default.contents(atPath: file.path)
            else { return "it is not there" }
            return FileManager.default.createFile(atPath: path, contents: bytes) ? nil : "no file"
        }

        private func holdBack() {
            condition.lock()
            defer { condition.unlock() }
            state.withLock { state in
                state.underWay += 1
                state.most = max(state.most, state.underWay)
            }
            condition.broadcast()
            // Whoever fetches one after the other waits in vain.
            while most < Distant.enough, condition.wait(until: deadline) {}
            state.withLock { $0.underWay -= 1 }
        }

        func results(for keys: [Digest]) -> [Digest: ActionResult] {
            Dictionary(uniqueKeysWithValues: keys.compactMap { key in (try? store.result(for: key)).map { (key, $0) } })
        }

        func available(among digests: [Digest]) -> Set<Digest> { Set(digests) }
        func rejected(_ digest: Digest, _ problem: String) {}
        func published(_ key: Digest) {}
    }

    private let values = JSON.object(JSONObject((0..<60).map { ("n\($0)", .integer(Int64($0 * 7 % 23 + 1))) }))

    private func pipeline(_ further: Toy? = nil) throws -> Pipeline {
        try .toys(
            [
                Toy("numbers", "numbers", [], ["values": values]),
                Toy("left", "shift", [("numbers", ["numbers"])], ["by": 2]),
            ] + [further].compactMap { $0 })
    }

    @Test(arguments: ["shift", "sum"])
    func inputsThatLieElsewhereAreFetchedSeveralAtOnceAndOnceEach(type: String) async throws {
        let (mine, theirs) = (TemporaryStore(), TemporaryStore())
        let first = try await mine.engine().run(pipeline())
        let shards = try #require(first.stage("left")?.outputs["positive"]?.shards)
        #expect(shards.count > 8)

        let distant = Distant(try mine.open(), holdingBack: shards.map(\.digest))
        let store = try theirs.open()
        store.attach(distant)
        let further = Toy(
            "further", type, [("numbers", ["left.positive"])], type == "shift" ? ["by": 3] : ["modulo": 97])
        let second = try await Engine(store: store, options: Engine.Options(jobs: 1)).run(pipeline(further))
        #expect(second.status == .ok, "\(second.failures)")
        #expect(second.stages.map { $0.executed > 0 } == [false, false, true])
        #expect(distant.most >= 4)
        #expect(distant.asked.count == Set(distant.asked).count)

        let reference = try await mine.engine().run(pipeline(further))
        #expect(second.stages.map(\.outputs) == reference.stages.map(\.outputs))
    }
}
