import CanonicalJSON
import ContentStore
import StageGraph
import Testing

@testable import Scheduling

/// Actions that somebody else is running in the same store, over real leases. Another store object counts as another
/// process.
@Suite struct LeaseWaitTests {
    private func source(_ name: String, value: Int64) -> Toy {
        Toy(name, "numbers", [], ["values": ["n": .integer(value)]])
    }

    /// The key of a source stage's action.
    private func key(of stage: String, in pipeline: Pipeline) throws -> Digest {
        let node = try #require(pipeline.stage(stage))
        return ActionPreimage(
            scope: .action, stage: node.signature.name, version: node.signature.version,
            parameters: node.parameters.keyed, inputs: []
        ).key
    }

    private func hold(_ stage: String, of pipeline: Pipeline, in store: TemporaryStore) throws -> ActionLease {
        try #require(try store.open().lease(key(of: stage, in: pipeline)))
    }

    /// Starts a run with one slot. The names of its stages come as they finish.
    private func start(
        _ pipeline: Pipeline, in store: TemporaryStore
    ) throws -> (run: Task<RunReport, any Error>, finished: AsyncStream<String>) {
        let (names, finished) = AsyncStream<String>.makeStream()
        let engine = try store.engine(jobs: 1)
        let run = Task {
            try await engine.run(pipeline) { event in
                if case .stageFinished(let stage) = event { finished.yield(stage.name) }
            }
        }
        return (run, names)
    }

    @Test(.timeLimit(.minutes(2))) func theOnlySlotIsFreeForOthersMeanwhile() async throws {
        let store = TemporaryStore()
        let pipeline = try Pipeline.toys([
            source("held", value: 1), source("free", value: 2), Toy("a", "shift", [("numbers", ["free"])], ["by": 1]),
            Toy("b", "shift", [("numbers", ["held"])], ["by": 1]),
        ])
        let lease = try hold("held", of: pipeline, in: store)
        let (run, finished) = try start(pipeline, in: store)
        var order: [String] = []
        for await stage in finished {
            order.append(stage)
            if stage == "a" { break }
        }
        #expect(order == ["free", "a"])
        lease.release()
        let report = try await run.value
        #expect(report.status == .ok)
        #expect(report.stages.map(\.executed) == [1, 1, 1, 1])
    }

    @Test(.timeLimit(.minutes(2))) func whatTheOtherFinishedIsTakenOver() async throws {
        let store = TemporaryStore()
        let pipeline = try Pipeline.toys([source("held", value: 1), source("free", value: 2)])
        let lease = try hold("held", of: pipeline, in: store)
        let (run, finished) = try start(pipeline, in: store)
        for await stage in finished where stage == "free" { break }
        // The holder's result, as it would publish it: made in a store of its own.
        let elsewhere = TemporaryStore()
        let made = try await elsewhere.engine().run(pipeline).stage("held")!.outputs["numbers"]!
        let (theirs, shared) = (try elsewhere.open(), try store.open())
        for shard in made.shards { _ = try shared.write(theirs.read(shard)) }
        try shared.write(made)
        let key = try key(of: "held", in: pipeline)
        let result = try #require(try theirs.result(for: key))
        try shared.publish(result, for: key)
        lease.release()
        let report = try await run.value
        #expect(report.status == .ok)
        #expect(report.stages.map(\.executed) == [0, 1])
        #expect(report.stages.map(\.cached) == [1, 0])
    }

    @Test(.timeLimit(.minutes(2))) func aFailedRunDoesNotWaitForOthers() async throws {
        let store = TemporaryStore()
        let pipeline = try Pipeline.toys([
            source("held", value: 1), source("free", value: 2),
            Toy("broken", "shift", [("numbers", ["free"])], ["by": 1, "fail-on": 3]),
        ])
        let lease = try hold("held", of: pipeline, in: store)
        let report = try await store.engine(jobs: 1).run(pipeline)
        #expect(report.status == .failed)
        #expect(report.failures.map(\.stage) == ["broken"])
        #expect(report.stage("held")!.status == .pending)
        #expect(lease.isHeld)
    }

    @Test(.timeLimit(.minutes(2))) func anInterruptedRunDoesNotWaitForOthersAndLeavesTheirLeaseAlone() async throws {
        let store = TemporaryStore()
        let pipeline = try Pipeline.toys([source("held", value: 1), source("free", value: 2)])
        let lease = try hold("held", of: pipeline, in: store)
        let (run, finished) = try start(pipeline, in: store)
        for await stage in finished where stage == "free" { break }
        run.cancel()
        let report = try await run.value
        #expect(report.status == .interrupted)
        #expect(report.failures.isEmpty)
        #expect(lease.isHeld)
    }
}
