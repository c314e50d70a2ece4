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

        #expect(try open().audit(repair: true).isRepaired)
        for stray in audit.strays { try FileSystem.remove(stray) }
        let after = try open().audit()
        #expect(after.isClean)
        #expect(after.checkedBlobs == 2)
        #expect(after.checkedActions == 1)
        #expect(try open().statistics().quarantined == 4)
        #expect(try open().lookup(keys).map { $0.outputs != nil } == [false, false, false, true])
    }
}
