import CanonicalJSON
import Testing

@testable import ContentStore

@Suite struct ShardManifestTests {
    private func shards(_ count: Int, seed: UInt64) -> [Shard] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { index in
            Shard(
                prefix: ShardPrefix(bits: generator.next(), length: Int.random(in: 0...64, using: &generator)),
                digest: Digest(of: "\(seed) \(index)"),
                records: [0, 1, 9, 512, 999_999_999_999_999_999].randomElement(using: &generator)!,
                bytes: Int.random(in: 0...999_999_999_999_999_999, using: &generator))
        }
    }

    private let type = ArtifactType(name: "dual-pairs", version: 12)

    /// What the manifest is by definition: canonical JSON.
    private func reference(_ shards: [Shard]) -> [UInt8] {
        let entries = shards.map { shard -> JSON in
            [
                "prefix": .string(shard.prefix.text), "digest": .string(shard.digest.hex),
                "records": .integer(Int64(shard.records)), "bytes": .integer(Int64(shard.bytes)),
            ]
        }
        let document: JSON = [
            "format": "retort-artifact/1", "type": .string(type.description), "shards": .array(entries),
        ]
        return document.canonicalBytes
    }

    @Test(arguments: [0, 1, 2, 100]) func itsBytesAreCanonicalJSON(count: Int) throws {
        for seed in 0..<20 {
            let shards = shards(count, seed: UInt64(seed))
            let bytes = ShardManifest.encode(type, shards)
            #expect(bytes == reference(shards))
            let read = try #require(ShardManifest.decode(bytes))
            #expect(read.type == type)
            #expect(read.shards == shards)
        }
    }

    /// Whatever the fast reader accepts is what it would write: else one artifact would have two identities.
    @Test func nothingButTheCanonicalFormIsAccepted() {
        let intact = ShardManifest.encode(type, shards(2, seed: 3))
        var accepted = 0
        for position in intact.indices {
            let (before, after): ([UInt8], [UInt8]) = (Array(intact[..<position]), Array(intact[(position + 1)...]))
            for replacement in Array("0129af-/\"\\{}[], :zé".utf8) + [0, 0x7F] {
                let replaced: [UInt8] = before + [replacement] + after
                let inserted: [UInt8] = before + [replacement, intact[position]] + after
                let removed: [UInt8] = before + after
                for variant in [replaced, inserted, removed, before] {
                    guard let (type, shards) = ShardManifest.decode(variant) else { continue }
                    accepted += 1
                    #expect(ShardManifest.encode(type, shards) == variant)
                }
            }
        }
        #expect(accepted > 1000, "another digit in a digest is another manifest, and fine")
    }
}
