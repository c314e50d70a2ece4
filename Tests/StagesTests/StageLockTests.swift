import CanonicalJSON
import ContentStore
import Foundation
import StageGraph
import Stages
import Testing

/// Ties the sources of the stages to their versions, so that a change of one without the other is a decision.
///
/// When the behaviour of a stage changed, raise its `version`. Then, or when it did not change, record the sources with
/// `RETORT_RECORD=1 swift test --filter StageLockTests`.
@Suite struct StageLockTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private var lockFile: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("stages.lock.json")
    }

    /// A digest a folder of stages/, over the names and contents of its files.
    private func sources() throws -> JSON {
        let stages = root.appendingPathComponent("stages")
        var folders: [String: CanonicalEncoder] = [:]
        let files = try FileManager.default.subpathsOfDirectory(atPath: stages.path).filter { $0.hasSuffix(".swift") }
        for file in files.sorted() {
            let folder = file.contains("/") ? String(file.split(separator: "/")[0]) : "."
            var encoder = folders[folder] ?? CanonicalEncoder(domain: "stage-sources/1")
            encoder.field("file", file)
            encoder.field("content", bytes: Array(try Data(contentsOf: stages.appendingPathComponent(file))))
            folders[folder] = encoder
        }
        return .object(JSONObject(folders.map { ($0.key, .string($0.value.digest().short)) }))
    }

    private var versions: JSON {
        .object(
            JSONObject(
                StageLibrary.edit.types.map { ($0.signature.name, .integer(Int64($0.signature.version))) }))
    }

    @Test func sourcesAndVersionsAreAsRecorded() throws {
        let now: JSON = ["sources": try sources(), "versions": versions]
        if ProcessInfo.processInfo.environment["RETORT_RECORD"] != nil {
            try Data(now.canonicalBytes + [0x0A]).write(to: lockFile)
            Issue.record("recorded; run again without RETORT_RECORD")
            return
        }
        let recorded = try JSON.parse(Array(Data(contentsOf: lockFile)))
        for (folder, digest) in now["sources"]!.object!.members where recorded["sources"]?[folder] != digest {
            Issue.record(
                """
                stages/\(folder) is not as recorded. If a stage behaves differently now, raise its version; then record \
                with RETORT_RECORD=1 swift test --filter StageLockTests
                """)
        }
        #expect(recorded["versions"] == now["versions"], "versions changed: record them")
        #expect(recorded == now)
    }

    @Test func everyStageTypeHasASummaryForEachParameterAndPort() {
        for type in StageLibrary.edit.types {
            let signature = type.signature
            #expect(!signature.summary.isEmpty && signature.version >= 1)
            #expect(signature.parameters.allSatisfy { !$0.summary.isEmpty }, "\(signature.name)")
            #expect(signature.inputs.allSatisfy { !$0.summary.isEmpty }, "\(signature.name)")
            #expect(signature.outputs.allSatisfy { !$0.summary.isEmpty }, "\(signature.name)")
            #expect(!signature.outputs.isEmpty)
        }
    }
}
