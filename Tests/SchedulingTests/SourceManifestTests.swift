import ContentStore
import StageGraph
import Testing

@testable import Scheduling

@Suite struct SourceManifestTests {
    private func manifest(_ files: [String: String]) -> SourceManifest {
        SourceManifest(
            Dictionary(
                uniqueKeysWithValues: files.map { path, text in
                    (BytePath(path), FileContent(digest: Digest(of: text), bytes: text.utf8.count))
                }))
    }

    @Test func whatIsWrittenIsRead() {
        for files in [[:], ["": ""], ["a": "1"], ["a": "1", "b/c": "2", "\u{e9}\u{0}": "3"]] {
            let manifest = manifest(files)
            #expect(SourceManifest(encoded: manifest.encoded) == manifest)
        }
    }

    /// From scripts/preimage-keys. Changing it changes the keys of all actions that read a directory.
    @Test func theDigestIsPinned() {
        #expect(
            Digest(of: manifest(["config.json": "{}", "weights/0": "w"]).encoded).hex
                == "ed66b04baa6748e2f72145a84e473cf324aca22616f30b7601c66e2939c617ae")
    }

    @Test func namesThatOnlyLookAlikeAreTwo() {
        let files: [BytePath: FileContent] = [
            BytePath("\u{e9}"): FileContent(digest: Digest(of: "1"), bytes: 1),
            BytePath("e\u{301}"): FileContent(digest: Digest(of: "2"), bytes: 1),
        ]
        let manifest = SourceManifest(files)
        #expect(manifest.files.count == 2)
        #expect(SourceManifest(encoded: manifest.encoded) == manifest)
    }

    @Test func anythingElseIsRefused() {
        let bytes = manifest(["a": "1", "bb": "2"]).encoded
        for position in bytes.indices {
            #expect(SourceManifest(encoded: Array(bytes[..<position])) == nil, "cut at \(position)")
            var damaged = bytes
            damaged[position] ^= 0x80
            let read = SourceManifest(encoded: damaged)
            #expect(read == nil || read?.encoded == damaged, "byte \(position)")
        }
        #expect(SourceManifest(encoded: bytes + [0]) == nil)
        #expect(SourceManifest(encoded: Array("some text that was once a prompt".utf8)) == nil)
    }

    @Test func changesAreNamedUpToABound() {
        let old = manifest(["same": "0", "config.json": "1", "gone": "1"])
        let new = manifest(["same": "0", "config.json": "2", "b": "1", "a": "1"])
        #expect("\(new.changes(since: old))" == "config.json changed; 2 files added: a, b; gone removed")
        let many = manifest(Dictionary(uniqueKeysWithValues: (100..<300).map { ("f\($0)", "") }))
        let added = many.changes(since: manifest([:])).added
        #expect(added.count == 200 && added.paths.count == 50)
        #expect("\(many.changes(since: manifest([:])))" == "200 files added: f100, f101, f102 and 197 more")
    }
}
