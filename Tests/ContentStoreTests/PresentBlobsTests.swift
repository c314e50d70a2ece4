import CanonicalJSON
import Synchronization
import Testing

@testable import ContentStore

/// What a session has found in place is not looked at twice, and what is gone is never taken for there.
@Suite struct PresentBlobsTests {
    private let key = Digest(of: "key")

    private func result(_ references: [Digest]) -> ActionResult {
        ActionResult(preimage: [:], outputs: [:], references: references)
    }

    @Test func aBlobThatWasForgottenIsNotKnownAnyMore() {
        var present = PresentBlobs()
        let (a, b) = (Digest(of: "a"), Digest(of: "b"))
        #expect(!present.contains(a))
        present.note(a, true)
        present.note(b, true)
        present.note(b, false)
        #expect(present.contains(a))
        #expect(!present.contains(b))
    }

    @Test func manyBlobsTakeBoundedMemory() {
        var present = PresentBlobs()
        let digests = (0..<1 << 18).map { Digest(of: "\($0)") }
        for digest in digests { present.note(digest, true) }
        #expect(digests.allSatisfy(present.contains))
        present.note(key, true)
        #expect(present.contains(key))
        #expect(!digests.contains(where: present.contains))
    }

    @Test func aResultMayNameWhatALookupHasFound() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.file("store")
        let first = try LocalStore(at: path)
        let blob = try first.write(Array("content".utf8))
        try first.publish(result([blob]), for: key)
        let second = try LocalStore(at: path)
        #expect(try second.lookup(key) == .hit(outputs: [:]))
        #expect(second.state.withLock { $0.present.contains(blob) })
        try second.publish(result([blob]), for: Digest(of: "other key"))
        #expect(try LocalStore(at: path).lookup(Digest(of: "other key")) == .hit(outputs: [:]))
    }

    /// Each way in which a process notices that a blob is gone: then no result may name it.
    @Test(arguments: ["lookup", "read", "damage"]) func aBlobSeenToBeGoneIsLookedForAgain(seen: String) throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.file("store")
        let first = try LocalStore(at: path)
        let blob = try first.write(Array("content".utf8))
        try first.publish(result([blob]), for: key)
        let store = try LocalStore(at: path)
        _ = try store.lookup(key)
        if seen == "damage" {
            try FileSystem.replace(
                store.layout.blob(blob), with: Array("damaged".utf8), temporary: folder.file("damaged"))
            #expect(throws: ContentStoreError.self) { try store.read(blob, limit: 100) }
        } else {
            try FileSystem.remove(store.layout.blob(blob))
            if seen == "read" {
                #expect(throws: ContentStoreError.self) { try store.read(blob, limit: 100) }
            } else {
                #expect(try store.lookup(key) == .lost(outputs: [:], missing: [blob]))
            }
        }
        let error = #expect(throws: ContentStoreError.self) {
            try store.publish(result([blob]), for: Digest(of: "other key"))
        }
        #expect(error?.code == .missingBlob)
    }

    @Test func writingABlobThatWasRemovedMeanwhileWritesItAgain() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.file("store")
        let first = try LocalStore(at: path)
        let content = Array("content".utf8)
        let blob = try first.write(content)
        try first.publish(result([blob]), for: key)
        let store = try LocalStore(at: path)
        _ = try store.lookup(key)
        try FileSystem.remove(store.layout.blob(blob))
        #expect(try store.write(content) == blob)
        #expect(try store.write([content], sizes: [content.count]) { $0 }.map(\.digest) == [blob])
        try store.flush()
        #expect(try LocalStore(at: path).read(blob, limit: 100) == content)
    }
}
