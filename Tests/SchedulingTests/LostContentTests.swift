import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization
import Testing

@testable import Scheduling

/// Content that is gone from the store: what is made again, what is not, and what if it comes out otherwise.
@Suite struct LostContentTests {
    private func chain(by shift: Int = 1) throws -> Pipeline {
        let values = JSON.object(JSONObject((0..<60).map { ("n\($0)", .integer(Int64($0 * 7 % 23 - 9))) }))
        return try .toys([
            Toy("numbers", "numbers", [], ["values": values, "shard-records": 8]),
            Toy("a", "shift", [("numbers", ["numbers"])], ["by": 3]),
            Toy("b", "shift", [("numbers", ["a.positive"])], ["by": -4]),
            Toy("c", "shift", [("numbers", ["b.positive"])], ["by": .integer(Int64(shift))]),
        ])
    }

    /// The shards of outputs, which other stages read.
    private func blobs(_ report: RunReport, _ outputs: String...) -> [Digest] {
        outputs.flatMap { output in
            let parts = output.split(separator: ".").map(String.init)
            return report.stage(parts[0])!.outputs[parts[1]]!.shards.map(\.digest)
        }
    }

    @Test func whatNobodyReadsIsNotMadeAgain() async throws {
        let store = TemporaryStore()
        let first = try await store.engine().run(chain())
        let intermediates = blobs(first, "numbers.numbers", "a.positive", "b.positive")
        for blob in Set(intermediates) { try store.remove(blob) }
        // All that the run is for is there.
        let second = try await store.engine().run(chain())
        #expect(second.status == .ok && second.executed == 0)
        #expect(try Set(store.open().missing(among: intermediates)) == Set(intermediates))
    }

    @Test func oneLostResultBringsBackItsShardOfEachStageBeforeItAndNoMore() async throws {
        let store = TemporaryStore()
        let first = try await store.engine().run(chain())
        func shard(_ output: String, _ prefix: ShardPrefix) -> Digest? {
            let parts = output.split(separator: ".").map(String.init)
            return first.stage(parts[0])!.outputs[parts[1]]!.shards.first { $0.prefix == prefix }?.digest
        }
        let lost = first.stage("c")!.outputs["positive"]!.shards[0]
        let made = ["a.positive", "b.positive"].compactMap { shard($0, lost.prefix) }
        try #require(made.count == 2)
        let intermediates = blobs(first, "a.positive", "b.positive")
        for blob in Set(intermediates + [lost.digest]) { try store.remove(blob) }
        let second = try await store.engine().run(chain())
        #expect(second.status == .ok)
        #expect(second.stages.map(\.executed) == [0, 1, 1, 1])
        #expect(second.stages.map(\.outputs) == first.stages.map(\.outputs))
        let missing = try store.open().missing(among: intermediates)
        #expect(Set(missing) == Set(intermediates).subtracting(made))
        #expect(missing.count > 2)
    }

    @Test func aRemadeStageThatDiffersHasThePipelineDecidedAnew() async throws {
        let store = TemporaryStore()
        func pipeline(by shift: Int) throws -> Pipeline {
            try .toys([
                Toy("drift", "drift", [], ["clock": "anew"]),
                Toy("a", "shift", [("numbers", ["drift"])], ["by": .integer(Int64(shift))]),
                Toy("total", "sum", [("numbers", ["a.positive"])], [:]),
            ])
        }
        let first = try await store.engine().run(pipeline(by: 1))
        for blob in blobs(first, "drift.numbers") { try store.remove(blob) }
        let second = try await store.engine().run(pipeline(by: 2))
        #expect(second.status == .ok)
        #expect(second.stages.map(\.executed) == [1, second.stage("a")!.actions, 1])
        let drifted = second.stage("drift")!.outputs["numbers"]!
        #expect(drifted != first.stage("drift")!.outputs["numbers"]!)
        // What hangs on it was made of what it gives now, and not of what it gave before.
        let records = try drifted.shards.flatMap { try CanonicalRecords.decode(store.open().read($0)) }
        let total = try CanonicalRecords.decode(
            store.open().read(second.stage("total")!.outputs["total"]!.shards[0]))[0]["value"]!.integer!
        #expect(total == records.reduce(0) { $0 + $1["value"]!.integer! + 2 })
        let third = try await store.engine().run(pipeline(by: 2))
        #expect(third.executed == 0)
        #expect(third.stages.map(\.outputs) == second.stages.map(\.outputs))
    }
}
