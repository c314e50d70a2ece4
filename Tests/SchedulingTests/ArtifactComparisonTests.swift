import CanonicalJSON
import ContentStore
import Testing

@Suite struct ArtifactComparisonTests {
    private let type = ArtifactType(name: "numbers", version: 1)

    /// An artifact of these values in shards of at most `limit` records, and its shards' records.
    private func artifact(_ values: [String: Int], limit: Int) throws -> (Artifact, [Digest: [JSON]]) {
        let records = values.sorted { $0.key < $1.key }.map { id, value -> JSON in
            ["id": .string(id), "value": .integer(Int64(value))]
        }
        let entries = records.map { Partition.Entry(id: $0["id"]!.string!, bytes: $0.canonicalBytes.count + 1) }
        var contents: [Digest: [JSON]] = [:]
        let shards = try Partition.shards(of: entries, limit: ShardLimit(records: limit, bytes: 1 << 20)).map { part in
            let chosen = part.indices.map { records[$0] }
            let bytes = try CanonicalRecords.encode(chosen)
            contents[Digest(of: bytes)] = chosen
            return Shard(
                prefix: part.prefix, digest: Digest(of: bytes), records: chosen.count, bytes: bytes.count)
        }
        return (try Artifact(type: type, shards: shards), contents)
    }

    /// Against a comparison of whole dictionaries, over random sets cut in random ways.
    @Test(arguments: 0..<200 as Range<UInt64>) func findsWhatAComparisonOfWholeSetsFinds(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var old: [String: Int] = [:]
        for index in 0..<Int.random(in: 0...30, using: &random) { old["r\(index)"] = index }
        var new = old
        for index in 0..<Int.random(in: 0...6, using: &random) {
            let id = "r\(Int.random(in: 0...40, using: &random))"
            if Bool.random(using: &random) { new[id] = nil } else { new[id] = 100 + index }
        }
        let (before, oldRecords) = try artifact(old, limit: Int.random(in: 1...9, using: &random))
        let (after, newRecords) = try artifact(new, limit: Int.random(in: 1...9, using: &random))
        var found: [String: String] = [:]
        var read = Set<Digest>()
        let comparison = try ArtifactComparison(
            before, after,
            readOld: { shard in
                read.insert(shard.digest)
                return oldRecords[shard.digest]!
            }, readNew: { newRecords[$0.digest]! },
            each: { change in
                switch change {
                case .recordAdded(let record): found[record["id"]!.string!] = "added"
                case .recordRemoved(let record): found[record["id"]!.string!] = "removed"
                case .recordChanged(let id, let fields):
                    found[id] = "changed"
                    #expect(fields.map(\.name) == ["value"])
                    #expect(fields[0].old?.integer == old[id] && fields[0].new?.integer == new[id])
                default: Issue.record("records have no files")
                }
            })
        var expected: [String: String] = [:]
        for id in Set(old.keys).union(new.keys) where old[id] != new[id] {
            expected[id] = old[id] == nil ? "added" : new[id] == nil ? "removed" : "changed"
        }
        #expect(found == expected)
        #expect(comparison.same == old.filter { new[$0.key] == $0.value }.count)
        #expect(comparison.added + comparison.removed + comparison.changed == expected.count)
        let untouched = Set(before.shards).intersection(after.shards)
        #expect(read.isDisjoint(with: untouched.map(\.digest)), "a shard that both have was read")
    }

    @Test func treesAreComparedByFile() throws {
        func entry(_ path: String, _ text: String) -> TreeEntry {
            TreeEntry(path: path, digest: Digest(of: text), bytes: text.utf8.count)
        }
        let old = try Artifact(type: type, tree: [entry("a", "1"), entry("b", "2"), entry("c", "3")])
        let new = try Artifact(type: type, tree: [entry("b", "2"), entry("c", "33"), entry("d", "4")])
        var changes: [ArtifactChange] = []
        let comparison = try ArtifactComparison(
            old, new, readOld: { _ in [] }, readNew: { _ in [] }, each: { changes.append($0) })
        #expect(
            changes == [
                .fileRemoved(entry("a", "1")), .fileChanged(old: entry("c", "3"), new: entry("c", "33")),
                .fileAdded(entry("d", "4")),
            ])
        #expect(comparison.same == 1)
        let records = try artifact(["a": 1], limit: 4)
        #expect(throws: ContentStoreError.self) {
            try ArtifactComparison(old, records.0, readOld: { _ in [] }, readNew: { _ in [] }, each: { _ in })
        }
    }
}
