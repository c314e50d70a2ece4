import ContentStore
import Foundation
import Testing

/// A store that was altered, made by something else or by a newer Retort: the program names the object and the way out.
@Suite struct HostileStoreTests {
    private let digest = String(repeating: "ab", count: 32)

    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.writeSmallPipeline(questions: 12, shard: 4)
        return workplace
    }

    /// Puts content into the default store.
    private func keep(_ bytes: [UInt8], in workplace: Workplace) throws -> Digest {
        let store = try LocalStore(at: workplace.store(""))
        let digest = try store.write(bytes)
        try store.flush()
        return digest
    }

    private func manifest(_ entries: String, _ layout: String) -> String {
        #"{"format":"retort-artifact/1","\#(layout)":["# + entries + #"],"type":"questions/1"}"#
    }

    private func shard(_ prefix: String) -> String {
        #"{"bytes":40,"digest":"\#(digest)","prefix":"\#(prefix)","records":2}"#
    }

    private func expectRefusal(
        _ outcome: Program.Outcome, _ subject: String, _ problem: String, _ remedy: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.status == 1, sourceLocation: sourceLocation)
        let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error:") }
        #expect(errors.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
        for part in [subject, problem, remedy] {
            #expect(outcome.errors.contains(part), "\(part): \(outcome.errors)", sourceLocation: sourceLocation)
        }
    }

    @Test func aManifestThatPointsOutsideTheStoreIsRefused() throws {
        let workplace = try workplace()
        let entry = #"{"bytes":1,"digest":"\#(digest)","executable":false,"path":"../x"}"#
        let hostile = try keep(Array(manifest(entry, "tree").utf8), in: workplace)
        expectRefusal(
            try workplace.retort("store", "pin", hostile.hex), "the artifact manifest \(hostile.short)",
            "has the path \"../x\", which leaves the tree by \"..\"", "run the stage that makes it again")
    }

    @Test func duplicatePrefixesAreRefused() throws {
        let workplace = try workplace()
        let hostile = try keep(Array(manifest("\(shard("0")),\(shard("0"))", "shards").utf8), in: workplace)
        expectRefusal(
            try workplace.retort("diff", hostile.hex, hostile.hex), "the artifact manifest \(hostile.short)",
            "has two shards with prefix 0", "run the stage that makes it again")
    }

    @Test(arguments: [
        (9, "has 12 bytes where at most 9 bytes were promised"), (13, "has 12 bytes where its manifest says 13"),
    ])
    func sizesThatLieAreRefused(bytes: Int, problem: String) throws {
        let workplace = try workplace()
        let content = try keep(Array(#"{"id":"one"}"#.utf8), in: workplace)
        let artifact = try Artifact(
            type: ArtifactType(name: "questions", version: 1),
            shards: [Shard(prefix: .root, digest: content, records: 1, bytes: bytes)])
        let lying = try keep(artifact.manifest, in: workplace)
        let empty = try keep(
            Artifact(type: ArtifactType(name: "questions", version: 1), shards: []).manifest, in: workplace)
        let outcome = try workplace.retort("diff", empty.hex, lying.hex)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("blob \(content.short)"), "\(outcome.errors)")
        #expect(outcome.errors.contains(problem), "\(outcome.errors)")
        #expect(outcome.errors.contains("the manifest"), "\(outcome.errors)")
    }

    /// A quarter of a gigabyte of zeros where a shard of a few hundred bytes should be.
    @Test func aBombIsPutAsideUnexplodedAndMadeAgain() throws {
        let workplace = try workplace()
        #expect(try workplace.retort("run", "small.yaml").status == 0)
        let blobs = try FileManager.default.subpathsOfDirectory(atPath: workplace.store("blobs"))
            .filter { $0.hasSuffix(".zst") }
        let frame = Zstandard.compress([UInt8](repeating: 0, count: 4 << 20))
        let bomb = Data([[UInt8]](repeating: frame, count: 64).joined())
        for blob in blobs { try bomb.write(to: URL(fileURLWithPath: workplace.store("blobs/\(blob)"))) }
        let shown = try workplace.retort("show", "small.yaml", "worded")
        #expect(shown.status == 1)
        #expect(shown.errors.contains("blob "), "\(shown.errors)")
        #expect(shown.errors.contains("error: "), "\(shown.errors)")
        let audit = try workplace.retort("store", "verify", "--repair")
        #expect(audit.output.contains("damaged: "), "\(audit.output)")
        #expect(try workplace.retort("run", "small.yaml").status == 0)
        #expect(try workplace.retort("store", "verify").status == 0)
    }

    @Test func aManifestOfTenMillionEntriesIsRefusedUnread() throws {
        let workplace = try workplace()
        _ = try keep([1], in: workplace)
        // 600 MB that begin as a manifest does; each frame holds 4 MiB.
        let name = Digest(of: "endless")
        let frame = Zstandard.compress(Array(String(repeating: "\(shard("0")),", count: 40_000).utf8.prefix(4 << 20)))
        let folder = workplace.store("blobs/\(name.hex.prefix(2))")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data([[UInt8]](repeating: frame, count: 150).joined())
            .write(to: URL(fileURLWithPath: "\(folder)/\(name.hex).zst"))
        let outcome = try workplace.retort("store", "pin", name.hex)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("blob \(name.short)"), "\(outcome.errors)")
        #expect(outcome.errors.contains("where at most \(256 << 20) bytes were promised"), "\(outcome.errors)")
    }

    @Test func aResultOfANewerRetortIsNamedAndLeftAlone() throws {
        let workplace = try workplace()
        #expect(try workplace.retort("run", "small.yaml").status == 0)
        let actions = try FileManager.default.subpathsOfDirectory(atPath: workplace.store("actions"))
            .filter { $0.hasSuffix(".json") }
        let newer = #"{"format":"retort-action/2","something":"else"}"#
        for action in actions { try workplace.write(newer, to: "artifacts/actions/\(action)") }
        for arguments in [["run", "small.yaml"], ["store", "gc"]] {
            let outcome = try workplace.retort(arguments)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("artifacts/actions/"), "\(outcome.errors)")
            #expect(
                outcome.errors.contains(
                    "this result was written by a newer Retort (retort-action/2; this program reads retort-action/1)"),
                "\(outcome.errors)")
            #expect(outcome.errors.contains("update Retort"), "\(outcome.errors)")
        }
        for action in actions { #expect(try workplace.read("artifacts/actions/\(action)") == newer) }
    }

    @Test func aStoreOfANewerRetortIsLeftAlone() throws {
        let workplace = try workplace()
        try workplace.write(#"{"format":"retort-store/2"}"#, to: "artifacts/store.json")
        expectRefusal(
            try workplace.retort("run", "small.yaml"), "artifacts",
            "this store was made by a newer Retort (store format 2; this program knows 1)",
            "update Retort, or choose another folder with --store")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workplace.store("")) == ["store.json"])
    }
}
