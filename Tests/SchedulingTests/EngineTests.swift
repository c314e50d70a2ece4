import CanonicalJSON
import ContentStore
import Foundation
import StageGraph
import Synchronization
import Testing

@testable import Scheduling

/// A store in a temporary folder that goes with the value.
final class TemporaryStore {
    let path: String

    init(in folder: URL = FileManager.default.temporaryDirectory) {
        path = folder.appendingPathComponent("retort-\(UUID().uuidString)").path
    }

    /// Where flushing costs nothing, for tests of a thousand runs.
    static func inMemory() -> TemporaryStore {
        let memory = URL(fileURLWithPath: "/dev/shm")
        let isThere = FileManager.default.isWritableFile(atPath: memory.path)
        return TemporaryStore(in: isThere ? memory : FileManager.default.temporaryDirectory)
    }

    func open() throws -> LocalStore { try LocalStore(at: path) }

    func engine(jobs: Int = 2, keepGoing: Bool = false) throws -> Engine {
        Engine(store: try open(), options: Engine.Options(jobs: jobs, keepGoing: keepGoing))
    }

    /// Where a blob lies.
    func file(_ digest: Digest) -> String { "\(path)/blobs/\(digest.hex.prefix(2))/\(digest.hex).zst" }

    /// Takes a blob away, as a collection or an accident would.
    func remove(_ digest: Digest) throws { try FileManager.default.removeItem(atPath: file(digest)) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct EngineTests {
    private func values(_ count: Int) -> JSON {
        .object(JSONObject((0..<count).map { ("n\($0)", .integer(Int64($0 * 7 % 23 - 5))) }))
    }

    private func diamond(_ values: JSON, by shift: Int = 2, modulo: Int = 1_000_000_007) throws -> Pipeline {
        try .toys([
            Toy("numbers", "numbers", [], ["values": values]),
            Toy("left", "shift", [("numbers", ["numbers"])], ["by": .integer(Int64(shift))]),
            Toy("right", "shift", [("numbers", ["numbers"])], ["by": -1]),
            Toy("join", "shift", [("numbers", ["left.positive"]), ("others", ["right.negative"])], [:]),
            Toy(
                "total", "sum", [("numbers", ["join.positive", "join.negative"])], ["modulo": .integer(Int64(modulo))]),
            Toy("scaled", "scale", [("numbers", ["numbers"]), ("factor", ["total"])], [:]),
        ])
    }

    @Test func rerunExecutesNothing() async throws {
        let store = TemporaryStore()
        let pipeline = try diamond(values(60))
        let first = try await store.engine().run(pipeline)
        #expect(first.status == .ok)
        #expect(first.stages.allSatisfy { $0.executed == $0.actions && $0.actions > 0 })
        let second = try await store.engine().run(pipeline)
        #expect(second.executed == 0)
        #expect(second.stages.map(\.outputs) == first.stages.map(\.outputs))
        #expect(second.stages.map(\.actions) == first.stages.map(\.actions))
        #expect(second.stages.map(\.accounting) == first.stages.map(\.accounting))
    }

    @Test func anEditRunsOneActionOfEachMapStageOnItsPath() async throws {
        let store = TemporaryStore()
        var edited = values(60).object!
        let first = try await store.engine().run(diamond(.object(edited)))
        edited["n7"] = 999
        let second = try await store.engine().run(diamond(.object(edited)))
        let executed = Dictionary(uniqueKeysWithValues: second.stages.map { ($0.name, $0.executed) })
        #expect(executed["numbers"] == 1)
        #expect(executed["left"] == 1)
        #expect(executed["right"] == 1)
        #expect(executed["join"] == 1)
        #expect(executed["total"] == 1)
        // Every shard depends on the total, which changed.
        #expect(executed["scaled"] == second.stage("scaled")!.actions)
        let before = Set(first.stage("left")!.outputs["positive"]!.shards)
        let after = Set(second.stage("left")!.outputs["positive"]!.shards)
        #expect(after.subtracting(before).count == 1)
    }

    @Test func whatAnEditLeavesAloneIsDecidedByTheLastMemoAlone() async throws {
        let store = TemporaryStore()
        var edited = values(60).object!
        func pipeline() throws -> Pipeline {
            try .toys([
                Toy("numbers", "numbers", [], ["values": .object(edited)]),
                Toy("left", "shift", [("numbers", ["numbers"])], ["by": 2]),
                Toy("further", "shift", [("numbers", ["left.positive"]), ("others", ["left.negative"])], [:]),
            ])
        }
        let first = try await store.engine().run(pipeline())
        // The results of single actions go; those of whole stages stay.
        let actions = "\(store.path)/actions"
        for name in try FileManager.default.subpathsOfDirectory(atPath: actions) where name.hasSuffix(".json") {
            let result = try JSON.parse(FileManager.default.contents(atPath: "\(actions)/\(name)")!)
            if result["preimage"]?["scope"]?.string == "action" {
                try FileManager.default.removeItem(atPath: "\(actions)/\(name)")
            }
        }
        edited["n7"] = 999
        let second = try await store.engine().run(pipeline())
        #expect(second.stages.map(\.executed) == [1, 1, 1])
        #expect(second.stages.map(\.actions) == first.stages.map(\.actions))

        let scratch = TemporaryStore()
        let reference = try await scratch.engine().run(pipeline())
        #expect(second.stages.map(\.outputs) == reference.stages.map(\.outputs))
        #expect(second.stages.map(\.accounting) == reference.stages.map(\.accounting))
    }

    @Test func aLastMemoWithoutItsKeysIsNoMemory() async throws {
        let store = TemporaryStore()
        var edited = values(60).object!
        func pipeline() throws -> Pipeline {
            try .toys([
                Toy("numbers", "numbers", [], ["values": .object(edited)]),
                Toy("left", "shift", [("numbers", ["numbers"])], ["by": 2]),
            ])
        }
        _ = try await store.engine().run(pipeline())
        let actions = "\(store.path)/actions"
        for name in try FileManager.default.subpathsOfDirectory(atPath: actions) where name.hasSuffix(".json") {
            let result = try JSON.parse(FileManager.default.contents(atPath: "\(actions)/\(name)")!)
            if let keys = result["outputs"]?["keys"]?.string { try store.remove(#require(Digest(hex: keys))) }
        }
        edited["n7"] = 999
        let second = try await store.engine().run(pipeline())
        #expect(second.stages.map(\.executed) == [1, 1], "each action still has its own result")
    }

    @Test func aReproducedOutputStopsTheWave() async throws {
        let store = TemporaryStore()
        var edited = values(60).object!
        _ = try await store.engine().run(diamond(.object(edited), modulo: 1))
        edited["n7"] = 999
        let second = try await store.engine().run(diamond(.object(edited), modulo: 1))
        #expect(second.stage("total")!.executed == 1)
        // The total modulo 1 is 0 as before: only the shard whose numbers changed is scaled again.
        #expect(second.stage("scaled")!.executed == 1)
    }

    @Test func theCompressionLevelChangesNothing() async throws {
        let (store, other) = (TemporaryStore.inMemory(), TemporaryStore.inMemory())
        let pipeline = try diamond(values(60))
        func run(_ store: TemporaryStore, level: Int) async throws -> RunReport {
            let store = try LocalStore(at: store.path, compressionLevel: level)
            return try await Engine(store: store, options: .init(jobs: 2)).run(pipeline)
        }
        let first = try await run(store, level: 1)
        #expect(try await run(store, level: 19).executed == 0)
        #expect(try await run(other, level: 19).stages.map(\.outputs) == first.stages.map(\.outputs))
        let keys = try store.engine().actionsOfLastRun(of: pipeline)
        #expect(try keys.count > 5 && keys == other.engine().actionsOfLastRun(of: pipeline))
    }

    @Test(arguments: [1, 2, 8]) func jobsDoNotChangeResults(jobs: Int) async throws {
        let (reference, store) = (TemporaryStore.inMemory(), TemporaryStore.inMemory())
        let pipeline = try diamond(values(90))
        let expected = try await reference.engine(jobs: 3).run(pipeline)
        let report = try await store.engine(jobs: jobs).run(pipeline)
        #expect(report.stages.map(\.outputs) == expected.stages.map(\.outputs))
    }

    @Test func aFailureIsReportedAndTheNextRunGoesOn() async throws {
        let store = TemporaryStore()
        func pipeline(failing: JSON) throws -> Pipeline {
            try .toys([
                Toy("numbers", "numbers", [], ["values": values(60)]),
                Toy("left", "shift", [("numbers", ["numbers"])], ["by": 1]),
                Toy("broken", "shift", [("numbers", ["left.positive"])], ["fail-on": failing]),
                Toy("total", "sum", [("numbers", ["broken.positive"])], [:]),
            ])
        }
        let failed = try await store.engine(keepGoing: true).run(pipeline(failing: 3))
        #expect(failed.status == .failed)
        #expect(failed.failures.contains { $0.stage == "broken" && $0.message == "the toy broke" })
        #expect(failed.stage("total")!.status == .pending)
        let done = failed.stage("broken")!.executed
        let again = try await store.engine().run(pipeline(failing: 3))
        #expect(again.stage("left")!.executed == 0)
        #expect(again.stage("broken")!.cached <= done)
        let mended = try await store.engine().run(pipeline(failing: .null))
        #expect(mended.status == .ok)
    }

    @Test func whatAFailedRunFinishedOutlivesACollection() async throws {
        let store = TemporaryStore()
        func pipeline(failing: JSON) throws -> Pipeline {
            try .toys([
                Toy("numbers", "numbers", [], ["values": values(60)]),
                Toy("broken", "shift", [("numbers", ["numbers"])], ["fail-on": failing]),
            ])
        }
        let failed = try await store.engine(keepGoing: true).run(pipeline(failing: 3))
        let done = failed.stage("broken")!.executed
        #expect(failed.status == .failed && done > 0)
        #expect(try store.open().roots().map { $0.name.prefix(9) } == ["last-run-", "unfinishe"])
        _ = try store.open().collect(grace: 0, dryRun: false)
        let again = try await store.engine(keepGoing: true).run(pipeline(failing: 3))
        #expect(again.stage("numbers")!.executed == 0)
        #expect(again.stage("broken")!.cached == done)
        #expect(again.stage("broken")!.executed == 0)
        let mended = try await store.engine().run(pipeline(failing: .null))
        #expect(mended.status == .ok)
        #expect(try store.open().roots().map { $0.name.prefix(9) } == ["last-run-"])
    }

    @Test func aRunningPipelineProtectsWhatItHasFinishedAsItGoes() async throws {
        let store = TemporaryStore()
        let engine = try store.engine(jobs: 1)
        let protected = Mutex<[Int]>([])
        let path = store.path
        let report = try await engine.run(
            .toys([
                Toy("numbers", "numbers", [], ["values": values(60)]),
                Toy("left", "shift", [("numbers", ["numbers"])], ["by": 2]),
            ])
        ) { event in
            guard case .actionFinished = event, let roots = try? LocalStore(at: path, access: .readOnly).roots()
            else { return }
            protected.withLock { $0.append(roots.first { $0.name.hasPrefix("unfinished-") }?.actions.count ?? 0) }
        }
        #expect(report.status == .ok)
        #expect(protected.withLock { $0 } == Array(1...report.executed), "each as soon as it is finished")
        #expect(try store.open().roots().count == 1)
    }

    @Test(arguments: [
        ("unbalanced", "accounts for"), ("foreign-id", "does not belong to the shard"),
        ("duplicate", "which another has too"),
    ])
    func aCarelessStageIsCaught(mistake: String, message: String) async throws {
        let store = TemporaryStore()
        let report = try await store.engine().run(
            .toys([
                Toy("numbers", "numbers", [], ["values": values(60)]),
                Toy("careless", "careless", [("numbers", ["numbers"])], ["mistake": .string(mistake)]),
            ]))
        #expect(report.status == .failed)
        #expect(report.failures[0].message.contains(message))
    }

    @Test func aDamagedShardIsPutAsideAndMadeAgainInTheSameRun() async throws {
        let store = TemporaryStore()
        let pipeline = try diamond(values(60))
        let first = try await store.engine().run(pipeline)
        let shard = first.stage("left")!.outputs["positive"]!.shards[0].digest.hex
        let file = "\(store.path)/blobs/\(shard.prefix(2))/\(shard).zst"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[bytes.count / 2] ^= 0xFF
        try bytes.write(to: URL(fileURLWithPath: file))
        // Something has to read it: another parameter behind it.
        let changed = try Pipeline.toys([
            Toy("numbers", "numbers", [], ["values": values(60)]),
            Toy("left", "shift", [("numbers", ["numbers"])], ["by": 2]),
            Toy("again", "shift", [("numbers", ["left.positive"])], ["by": 5]),
        ])
        let warnings = Mutex<[String]>([])
        let mended = try await store.engine().run(changed) { event in
            if case .warning(let text) = event { warnings.withLock { $0.append(text) } }
        }
        #expect(mended.status == .ok)
        #expect(mended.stage("left")!.executed == 1)
        #expect(mended.stage("again")!.executed == mended.stage("again")!.actions)
        #expect(warnings.withLock { $0 }.contains { $0.contains(shard) && $0.contains("runs again") })
        let other = TemporaryStore()
        let untouched = try await other.engine().run(changed)
        #expect(untouched.stages.map(\.outputs) == mended.stages.map(\.outputs))
    }

    @Test func planNamesTheChangedFieldsAndRunsNothing() async throws {
        let store = TemporaryStore()
        let before = try await store.engine().plan(diamond(values(60)))
        #expect(before.stages[0].toRun.map(\.reasons) == [[.neverRan]])
        #expect(before.stages[1].decidedAfter == ["numbers"])
        _ = try await store.engine().run(diamond(values(60)))
        let same = try await store.engine().plan(diamond(values(60)))
        #expect(same.stages.allSatisfy { $0.toRun.isEmpty && $0.decidedAfter.isEmpty && $0.outputs != nil })
        let shifted = try await store.engine().plan(diamond(values(60), by: 3))
        let left = shifted.stages.first { $0.name == "left" }!
        #expect(left.toRun.count == same.stages[1].cached)
        #expect(left.toRun.allSatisfy { $0.reasons == [.changed(field: "parameter by", old: 2, new: 3)] })
        #expect(shifted.stages.first { $0.name == "right" }!.toRun.isEmpty)
        #expect(shifted.stages.first { $0.name == "join" }!.decidedAfter == ["left"])
    }

    @Test func aLostBlobThatTheRunIsForIsNamedAsTheReason() async throws {
        let store = TemporaryStore()
        let pipeline = try diamond(values(60))
        let first = try await store.engine().run(pipeline)
        let lost = first.stage("scaled")!.outputs["numbers"]!.shards[0]
        try store.remove(lost.digest)
        let plan = try await store.engine().plan(pipeline)
        let scaled = plan.stages.first { $0.name == "scaled" }!
        #expect(scaled.toRun.map(\.reasons) == [[.resultLost(missing: [lost.digest])]])
        #expect(scaled.outputs == nil)
        let again = try await store.engine().run(pipeline)
        #expect(again.status == .ok)
        #expect(again.executed == 1)
        #expect(again.stages.map(\.actions) == first.stages.map(\.actions))
    }
}
