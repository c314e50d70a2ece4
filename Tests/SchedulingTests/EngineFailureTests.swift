import CanonicalJSON
import ContentStore
import Foundation
import PipelineFile
import StageGraph
import Testing

@testable import Scheduling

/// What a failed shard's report says, and inputs that change under a run.
@Suite struct EngineFailureTests {
    private let values = JSON.object(JSONObject((0..<40).map { ("n\($0)", .integer(Int64($0))) }))

    @Test func aFailureThatNamesItsRecordIsReportedWithIt() async throws {
        let store = TemporaryStore()
        let report = try await store.engine(keepGoing: true).run(
            .toys([
                Toy("numbers", "numbers", [], ["values": values]),
                Toy("broken", "needy", [("numbers", ["numbers"])], ["fail-on": "n7"]),
            ]))
        try #require(report.failures.count == 1)
        let prefix = try #require(report.failures[0].prefix)
        #expect(prefix.contains(Digest(of: "n7")))
        #expect(report.failures[0].records == RecordSample(["n7"]))
        #expect("\(report.failures[0])" == "stage broken, shard \(prefix), record n7: the toy broke")
    }

    @Test func anyOtherFailureNamesTheRecordsOfItsShard() async throws {
        let store = TemporaryStore()
        let report = try await store.engine(keepGoing: true).run(
            .toys([
                Toy("numbers", "numbers", [], ["values": values, "shard-records": 8]),
                Toy("broken", "shift", [("numbers", ["numbers"])], ["fail-on": 7]),
            ]))
        try #require(report.failures.count == 1)
        let shards = report.stage("numbers")!.outputs["numbers"]!.shards
        let shard = try #require(shards.first { $0.prefix.contains(Digest(of: "n7")) })
        let ids = try CanonicalRecords.decode(store.open().read(shard)).map { $0["id"]!.string! }
        #expect(report.failures[0].prefix == shard.prefix)
        #expect(report.failures[0].records == RecordSample(ids))
        let names = ids.prefix(3).joined(separator: ", ")
        #expect(
            "\(report.failures[0])"
                == "stage broken, shard \(shard.prefix), records \(names) and \(ids.count - 3) more: the toy broke")
    }

    /// The file is written anew between the moment when it was hashed and the moment when the stage reads it.
    @Test(arguments: ["b 2\n", "a 9\nb 9\nc 9\n"]) func anInputThatChangesBeforeItIsReadFailsItsAction(
        changed: String
    ) async throws {
        let (store, fresh, folder) = (TemporaryStore(), TemporaryStore(), TemporaryStore())
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let (file, rows) = ("\(folder.path)/p.yaml", "\(folder.path)/rows.txt")
        try Data("a 1\n".utf8).write(to: URL(fileURLWithPath: rows))
        try Data(
            """
            retort: 1
            name: p
            stages:
              rows: { uses: rows, with: { path: rows.txt } }
              sum: { uses: merge, inputs: { numbers: rows } }
            """.utf8
        ).write(to: URL(fileURLWithPath: file))
        let pipeline = try PipelineFile.load(path: file, library: .graphs).pipeline
        let report = try await store.engine().run(pipeline) { event in
            if case .actionStarted("rows", _, _) = event {
                FileManager.default.createFile(atPath: rows, contents: Data(changed.utf8))
            }
        }
        #expect(report.status == .failed)
        #expect(report.executed == 0)
        let message = try #require(report.failures.first?.message)
        #expect(message.hasPrefix("\(file):4:"))
        #expect(message.contains("parameter \"path\""))
        #expect(message.contains("rows.txt") && message.hasSuffix("changed while the run was going on; run again"))
        // Nothing of it is kept: the next run is of what the file says now.
        let again = try await store.engine().run(pipeline)
        let other = try await fresh.engine().run(pipeline)
        #expect(again.status == .ok)
        #expect(again.executed == 2)
        #expect(again.stages.map(\.outputs) == other.stages.map(\.outputs))
    }
}
