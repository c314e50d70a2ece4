import CanonicalJSON
import ContentStore
import Testing

@Suite struct ArtifactTests {
    static let hex = String(repeating: "ab", count: 32)

    static func shard(_ prefix: String, records: Int = 2, bytes: Int = 40) throws -> Shard {
        Shard(prefix: try #require(ShardPrefix(prefix)), digest: Digest(of: prefix), records: records, bytes: bytes)
    }

    @Test func manifestsRoundTrip() throws {
        var generator = SeededGenerator(seed: 7)
        for count in [0, 1, 5, 400] {
            let ids = (0..<count).map { Partition.Entry(id: "r\($0)", bytes: 30) }
            let shards = Partition.shards(of: ids, limit: ShardLimit(records: 4, bytes: 1000)).map { part in
                Shard(
                    prefix: part.prefix, digest: Digest(of: "\(part.prefix)"), records: part.indices.count,
                    bytes: part.bytes)
            }
            let artifact = try Artifact(
                type: ArtifactType(name: "dual-pairs", version: 2), shards: shards.shuffled(using: &generator))
            let read = try Artifact(manifest: artifact.manifest)
            #expect(read == artifact)
            #expect(read.content == artifact.content)
            #expect(read.digest == Digest(of: artifact.manifest))
            #expect(read.count == count)
            #expect(read.bytes == 30 * count)
            #expect(read.blobs == artifact.blobs)
        }
    }

    @Test func treesRoundTrip() throws {
        let tree = [
            TreeEntry(path: "b/c.txt", digest: Digest(of: "c"), bytes: 1),
            TreeEntry(path: "b.txt", digest: Digest(of: "b"), bytes: 0, executable: true),
            TreeEntry(path: "a/é", digest: Digest(of: "c"), bytes: 1),
        ]
        let artifact = try Artifact(type: ArtifactType(name: "checkpoint", version: 1), tree: tree)
        #expect(artifact.tree.map(\.path) == ["a/é", "b.txt", "b/c.txt"])
        #expect(try Artifact(manifest: artifact.manifest).content == artifact.content)
        #expect(artifact.blobs == [Digest(of: "b"), Digest(of: "c")].sorted())
    }

    /// Changing these changes the identity of every artifact: then the manifest's format version has to change, too.
    @Test func goldenManifests() throws {
        let records = try Artifact(
            type: ArtifactType(name: "questions", version: 1),
            shards: [ArtifactTests.shard("1"), ArtifactTests.shard("01", records: 1, bytes: 9)])
        #expect(
            String(decoding: records.manifest, as: UTF8.self)
                == #"{"format":"retort-artifact/1","shards":["#
                + #"{"bytes":9,"digest":"938db8c9f82c8cb58d3f3ef4fd250036a48d26a712753d2fde5abd03a85cabf4","prefix":"01","records":1},"#
                + #"{"bytes":40,"digest":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b","prefix":"1","records":2}"#
                + #"],"type":"questions/1"}"#)
        #expect(records.digest.hex == "d915dc918f197e42377c041e7be5940911112cd6a69657d2ea03f8a85d21272b")
        let tree = try Artifact(
            type: ArtifactType(name: "report", version: 1),
            tree: [TreeEntry(path: "a/b", digest: Digest(of: "1"), bytes: 1, executable: true)])
        #expect(
            String(decoding: tree.manifest, as: UTF8.self)
                == #"{"format":"retort-artifact/1","tree":[{"bytes":1,"digest":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b","executable":true,"path":"a/b"}],"type":"report/1"}"#
        )
        #expect(tree.digest.hex == "dba1075325c66e71e6e6fc0d229fdc492a79a4a2dfb0c476bda8dad88f039e45")
    }

    static func shards(_ entries: String...) -> String {
        #"{"format":"retort-artifact/1","shards":["# + entries.joined(separator: ",") + #"],"type":"questions/1"}"#
    }

    static func entry(_ prefix: String, bytes: String = "40", records: String = "2", digest: String = hex) -> String {
        #"{"bytes":\#(bytes),"digest":"\#(digest)","prefix":"\#(prefix)","records":\#(records)}"#
    }

    static func tree(_ paths: String...) -> String {
        let entries = paths.map { #"{"bytes":1,"digest":"\#(hex)","executable":false,"path":"\#($0)"}"# }
        return #"{"format":"retort-artifact/1","tree":["# + entries.joined(separator: ",") + #"],"type":"report/1"}"#
    }

    static let hostile: [(String, String)] = [
        ("", "is no JSON (1:1: the text ends where a JSON value should stand)"),
        ("[]", "is no JSON object"),
        ("{}", "is incomplete: field \"format\" is missing"),
        (#"{"format":"other/1","shards":[],"type":"a/1"}"#, "has the format \"other/1\", not retort-artifact/1"),
        (
            #"{"format":"retort-artifact/2","shards":[],"type":"a/1"}"#,
            "has the format retort-artifact/2; this program reads retort-artifact/1"
        ),
        (
            #"{"format":"retort-artifact/1","shards":[],"type":"A"}"#,
            "has the type A, which is not of the form name/version"
        ),
        (#"{"format":"retort-artifact/1","type":"a/1"}"#, "is incomplete: field \"shards\" is missing"),
        (shards("7"), "has an entry that is an integer, not an object"),
        (shards(entry("0"), entry("0")), "has two shards with prefix 0"),
        (shards(entry("0"), entry("01")), "has shard 01, which lies under its shard 0"),
        (shards(entry(""), entry("01")), "has shard 01, which lies under its shard *"),
        (shards(entry("1"), entry("0")), "lists shard 0 after shard 1, out of order"),
        (shards(entry("2")), "has the prefix \"2\", which is not at most 64 zeros and ones"),
        (shards(entry("*")), "has the prefix \"*\", which is not at most 64 zeros and ones"),
        (shards(entry("0", bytes: "-1")), "gives shard 0 -1 bytes, too few for 2 records"),
        (shards(entry("0", bytes: "1")), "gives shard 0 1 bytes, too few for 2 records"),
        (shards(entry("0", records: "0")), "gives shard 0 0 records"),
        (shards(entry("0", bytes: "1e30")), "is incomplete: field \"bytes\" should be an integer, found a number"),
        (
            shards(entry("0", bytes: "9223372036854775807"), entry("1", bytes: "9223372036854775807")),
            "adds up to more bytes than any machine holds"
        ),
        (
            shards(entry("0", digest: "../../etc/passwd")),
            "gives shard 0 a digest that is not 64 lower-case hexadecimal digits"
        ),
        (shards(entry("0")) + " ", "is not in canonical form"),
        (
            #"{"extra":1,"format":"retort-artifact/1","shards":[],"type":"questions/1"}"#,
            "is not in canonical form"
        ),
        (tree("../x"), "has the path \"../x\", which leaves the tree by \"..\""),
        (tree("a/../../x"), "has the path \"a/../../x\", which leaves the tree by \"..\""),
        (tree("/etc/passwd"), "has the path \"/etc/passwd\", which is absolute"),
        (tree(""), "has the path \"\", which is empty"),
        (tree("a//b"), "has the path \"a//b\", which has an empty part"),
        (tree("./a"), "has the path \"./a\", which has a part \".\""),
        (tree("a/"), "has the path \"a/\", which has an empty part"),
        (tree(#"a\u0000b"#), #"has the path "a\u0000b", which contains a zero byte"#),
        (tree("a", "a"), "has the path a twice"),
        (tree("b", "a"), "lists a after b, out of order"),
        (tree("a", "a.b", "a/b"), "has a/b, which lies under its file a"),
    ]

    @Test(arguments: hostile)
    func hostileManifestsAreRefused(text: String, problem: String) throws {
        let error = try #require(throws: ContentStoreError.self) { try Artifact(manifest: Array(text.utf8)) }
        #expect(error.subject == "an artifact manifest")
        #expect(error.problem == problem)
        #expect(error.code == (text.contains("artifact/2") ? .newerFormat : .malformed))
        #expect(!error.remedy.isEmpty)
    }

    @Test func tooManyEntriesAreRefused() throws {
        let shards = [Shard](repeating: try ArtifactTests.shard("0"), count: Artifact.maximumEntries + 1)
        let error = try #require(throws: ContentStoreError.self) {
            try Artifact(type: ArtifactType(name: "a", version: 1), shards: shards)
        }
        #expect(error.problem == "has 1048577 shards, more than the 1048576 an artifact may have")
    }

    @Test func aManifestOfMillionsOfEntriesIsRefusedUnread() throws {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: Artifact.maximumManifestBytes + 1)
        let error = try #require(throws: ContentStoreError.self) { try Artifact(manifest: bytes) }
        #expect(error.code == .tooLarge)
    }

    @Test(arguments: ["a/1", "dual-pairs/12", "x2/3"])
    func typesRoundTrip(text: String) throws {
        #expect(try #require(ArtifactType(text)).description == text)
    }

    @Test(arguments: ["", "a", "a/0", "a/-1", "a/01", "a/+1", "A/1", "2a/1", "a b/1", "a/1/2", "/1", "a/"])
    func otherTextIsNoType(text: String) {
        #expect(ArtifactType(text) == nil)
    }
}
