import CanonicalJSON
import ContentStore
import StageGraph
import Testing

@testable import Scheduling

/// Stages that see an artifact as a whole beside their shards.
@Suite struct WholeInputTests {
    /// The artifact seen as a whole is the one behind whose map stage the shards come from, too.
    @Test func aStageWaitsForItsShardsAlthoughTheirSourceIsItsWholeInputAsWell() async throws {
        let values = JSON.object(JSONObject((0..<60).map { ("n\($0)", .integer(Int64($0 + 1))) }))
        let pipeline = try Pipeline.toys([
            Toy("numbers", "numbers", [], ["values": values]),
            Toy("shifted", "shift", [("numbers", ["numbers"])], ["by": 2]),
            Toy("scaled", "scale", [("numbers", ["shifted.positive"]), ("factor", ["numbers"])]),
        ])
        let store = TemporaryStore()
        let report = try await store.engine().run(pipeline)
        #expect(report.status == .ok)
        #expect(report.stage("scaled")!.outputs["numbers"]!.shards.reduce(0) { $0 + $1.records } == 60)
        #expect(report.stage("scaled")!.executed == report.stage("shifted")!.executed)
    }

    @Test func aStageMayTakeOneOutputShardByShardAndAsAWhole() async throws {
        let values = JSON.object(JSONObject((0..<60).map { ("n\($0)", .integer(Int64($0 + 1))) }))
        let pipeline = try Pipeline.toys([
            Toy("numbers", "numbers", [], ["values": values]),
            Toy("scaled", "scale", [("numbers", ["numbers"]), ("factor", ["numbers"])]),
        ])
        let store = TemporaryStore()
        let report = try await store.engine().run(pipeline)
        #expect(report.status == .ok)
        #expect(report.stage("scaled")!.outputs["numbers"]!.shards.reduce(0) { $0 + $1.records } == 60)
        #expect(report.stage("scaled")!.executed == report.stage("scaled")!.actions)
        #expect(try await store.engine().run(pipeline).executed == 0)
    }
}
