import CanonicalJSON
import Glibc
import Testing

@testable import ContentStore

@Suite struct StoreAuditTests {
    let folder: TemporaryFolder
    let blobs: [Digest]
    let keys = (0..<4).map { Digest(of: "key \($0)") }

    init() throws {
        folder = try TemporaryFolder()
        let store = try LocalStore(at: folder.file("store"))
        blobs = try (0..<4).map { try store.write(Array("content \($0)".utf8)) }
        for (key, blob) in zip(keys, blobs) {
            try store.publish(ActionResult(preimage: .null, outputs: .null, references: [blob]), for: key)
        }
    }

    func open(_ access: LocalStore.Access = .readWrite) throws -> LocalStore {
        try LocalStore(at: folder.file("store"), access: access)
    }

    @Test func anIntactStoreIsClean() throws {
        let audit = try open(.readOnly).audit()
        #expect(audit.isClean)
        #expect(audit.checkedBlobs == 4)
        #expect(audit.contentBytes == 4 * 9)
        #expect(audit.checkedActions == 4)
        let statistics = try open().statistics()
        #expect(statistics.blobs == 4)
        #expect(statistics.actions == 4)
        #expect(statistics.quarantined == 0)
    }

    @Test func everythingWrongIsNamedAndRepairPutsItAside() throws {
        let layout = try open().layout
        try folder.write("store/blobs/\(blobs[0].hex.prefix(2))/\(blobs[0].hex).zst", "rubbish")
        unlink(layout.blob(blobs[1]))
        try folder.write("store/actions/\(keys[2].hex.prefix(2))/\(keys[2].hex).json", "{}")
        try folder.write("store/blobs/ab/stray", "x")
        try folder.write("store/blobs/stray", "x")
        let audit = try open(.readOnly).audit()
        #expect(!audit.isClean)
        #expect(audit.damagedBlobs.map(\.path) == [layout.blob(blobs[0])])
        #expect(audit.damagedBlobs.map(\.problem) == ["a frame does not start as zstd frames do"])
        #expect(audit.unusableActions.map(\.path) == [layout.action(keys[2])])
        #expect(audit.lostActions.map(\.path).sorted() == [layout.action(keys[0]), layout.action(keys[1])].sorted())
        #expect(
            Set(audit.lostActions.map(\.problem))
                == Set(blobs[0...1].map { "it needs blob \($0.short), which is gone" }))
        #expect(
            audit.strays.sorted() == [folder.file("store/blobs/ab/stray"), folder.file("store/blobs/stray")].sorted())

        let repaired = try open().audit(repair: true)
        #expect(repaired.isRepaired)
        #expect(repaired.leavesSomethingWrong, "what does not belong is not touched")
        for stray in audit.strays { try FileSystem.remove(stray) }
        let after = try open().audit()
        #expect(after.isClean)
        #expect(!after.leavesSomethingWrong)
        #expect(after.checkedBlobs == 2)
        #expect(after.checkedActions == 1)
        #expect(try open().statistics().quarantined == 4)
        #expect(try open().lookup(keys).map { $0.outputs != nil } == [false, false, false, true])
    }

    @Test func aResultOfANewerRetortIsNamedAndTheRestIsCheckedAllTheSame() throws {
        let layout = try open().layout
        let newer = #"{"format":"retort-action/2","something":"else"}"#
        try folder.write("store/actions/\(keys[1].hex.prefix(2))/\(keys[1].hex).json", newer)
        try folder.write("store/actions/\(keys[2].hex.prefix(2))/\(keys[2].hex).json", "{}")
        let audit = try open(.readOnly).audit()
        #expect(audit.newerActions.map(\.path) == [layout.action(keys[1])])
        #expect(
            audit.newerActions.map(\.problem) == [
                "this result was written by a newer Retort (retort-action/2; this program reads retort-action/1)"
            ])
        #expect(audit.unusableActions.map(\.path) == [layout.action(keys[2])])
        #expect(!audit.isClean)
        let repaired = try open().audit(repair: true)
        #expect(repaired.leavesSomethingWrong, "what it says is not known")
        #expect(try contents(layout.action(keys[1])) == Array(newer.utf8), "it is left where it is")
    }

    @Test func aPinnedManifestThatCannotBeReadBreaksItsRootAndNothingElse() throws {
        let store = try open()
        let manifest = try store.write(
            Array(#"{"format":"retort-artifact/9","shards":[],"type":"questions/1"}"#.utf8))
        try store.flush()
        try store.setRoot(Root(name: "pinned", artifacts: [manifest]))
        let audit = try open(.readOnly).audit()
        #expect(
            audit.brokenRoots.map(\.problem) == [
                "its artifact \(manifest.short) cannot be read: has the format retort-artifact/9; this program reads "
                    + "retort-artifact/1"
            ])
        #expect(audit.checkedActions == 4)
    }

    @Test func aRootWhoseArtifactIsGoneStaysWrongUntilItIsMadeAgain() throws {
        let store = try open()
        let artifact = try Artifact(
            type: ArtifactType(name: "a", version: 1),
            shards: [Shard(prefix: .root, digest: blobs[3], records: 1, bytes: 9)])
        try store.write(artifact)
        try store.setRoot(Root(name: "pin-a", artifacts: [artifact.digest]))
        try store.setRoot(Root(name: "pin-b", artifacts: [Digest(of: "never made")]))
        try store.flush()
        unlink(store.layout.blob(blobs[3]))
        let audit = try open().audit(repair: true)
        #expect(audit.brokenRoots.map(\.path) == ["a", "b"].map { folder.file("store/roots/pin-\($0).json") })
        #expect(
            audit.brokenRoots.map(\.problem) == [
                "its artifact \(artifact.digest.short) lacks blob \(blobs[3].short)",
                "its artifact \(Digest(of: "never made").short) is gone",
            ])
        #expect(audit.leavesSomethingWrong)
        #expect(try open().write(Array("content 3".utf8)) == blobs[3])
        try store.removeRoot("pin-b")
        #expect(try open().audit().brokenRoots.map(\.path) == [folder.file("store/roots/pin-a.json")])
        do {
            let mending = try open()
            _ = try mending.write(Array("content 3".utf8))
            try mending.flush()
        }
        #expect(try open().audit().isClean)
    }

    @Test func aRootThatIsNoRootIsNamed() throws {
        try folder.write("store/roots/pin-x.json", "{}")
        let audit = try open().audit(repair: true)
        #expect(audit.brokenRoots.map(\.path) == [folder.file("store/roots/pin-x.json")])
        #expect(audit.brokenRoots[0].problem.hasPrefix("it is no root that this program understands; update Retort"))
        #expect(audit.leavesSomethingWrong)
    }
}
