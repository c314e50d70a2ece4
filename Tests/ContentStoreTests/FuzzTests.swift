import CanonicalJSON
import Glibc
import Testing

@testable import ContentStore

/// Every reader of bytes from outside, fed with damaged versions of what it expects: each answer is right or an error,
/// never a trap. More rounds with RETORT_FUZZ_ROUNDS.
@Suite struct FuzzTests {
    static let rounds = getenv("RETORT_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 3000

    /// Changes, removes, doubles or inserts a few bytes, or splices a part of `other` in.
    private func mutation(of bytes: [UInt8], with other: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0...3, using: &generator) {
            guard !bytes.isEmpty else { return other }
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, position + Int.random(in: 0...40, using: &generator))
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[position] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.removeSubrange(position..<end)
            case 3: bytes.insert(contentsOf: bytes[position..<end], at: position)
            case 4: bytes.removeSubrange(position...)
            case 5:
                let start = Int.random(in: 0..<other.count, using: &generator)
                bytes.replaceSubrange(position..<end, with: other[start..<min(other.count, start + end - position)])
            default:
                let numbers = [
                    "-1", "0", "9223372036854775807", "9223372036854775808", "1e400", "null", "\"..\"", "[[[",
                ]
                bytes.insert(contentsOf: numbers.randomElement(using: &generator)!.utf8, at: position)
            }
        }
        return bytes
    }

    @Test func aManifestIsReadExactlyOrRefused() throws {
        var generator = SeededGenerator(seed: 41)
        func digest(_ text: String) -> Digest { Digest(of: text) }
        let records = try Artifact(
            type: ArtifactType(name: "cots", version: 2),
            shards: ["0", "10", "11"].map {
                Shard(prefix: ShardPrefix($0)!, digest: digest($0), records: 7, bytes: 700)
            })
        let tree = try Artifact(
            type: ArtifactType(name: "checkpoint", version: 1),
            tree: ["a", "b/c", "b/d"].map { TreeEntry(path: $0, digest: digest($0), bytes: 9, executable: false) })
        for round in 0..<FuzzTests.rounds {
            let (base, other) = round % 2 == 0 ? (records, tree) : (tree, records)
            let bytes = mutation(of: base.manifest, with: other.manifest, &generator)
            do {
                let artifact = try Artifact(manifest: bytes)
                // What is accepted is the canonical form of what it says, and stays inside its tree.
                #expect(artifact.manifest == bytes, "seed 41, round \(round)")
                #expect(artifact.digest == Digest(of: bytes))
                #expect(artifact.tree.allSatisfy { TreePath.problem(of: $0.path) == nil })
                #expect(artifact.bytes >= 0 && artifact.count >= 0)
            } catch let error as ContentStoreError {
                #expect(error.subject == "an artifact manifest" && !error.remedy.isEmpty)
            }
        }
    }

    @Test func aResultIsReadExactlyOrRefused() throws {
        var generator = SeededGenerator(seed: 42)
        let key = Digest(of: "key")
        let result = ActionResult(
            preimage: ["stage": "a", "inputs": [1, 2]], outputs: ["x": ["shard": ["records": 3]]],
            references: [Digest(of: "1"), Digest(of: "2")])
        let document = ActionDocument.encode(result, key: key)
        for round in 0..<FuzzTests.rounds {
            let bytes = mutation(of: document, with: document, &generator)
            switch ActionDocument.decode(bytes, key: key) {
            case .result(let read): #expect(read == result && bytes == document, "seed 42, round \(round)")
            case .unusable(let reason): #expect(!reason.isEmpty)
            case .newer(let format): #expect(format.hasPrefix("retort-action/"))
            }
        }
    }

    @Test func aRootIsReadOrRefused() throws {
        var generator = SeededGenerator(seed: 43)
        let document = try Root(name: "r", actions: [Digest(of: "1")], artifacts: [Digest(of: "2")]).document
        for _ in 0..<FuzzTests.rounds {
            let bytes = mutation(of: document, with: document, &generator)
            guard let root = Root(name: "r", document: bytes) else { continue }
            #expect(root.actions.count <= 2 && root.artifacts.count <= 2)
        }
    }

    /// The blob's name is the digest of its content, so whatever is read has to be that content.
    @Test func framesGiveTheContentOrAreRefused() throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 44)
        // One frame, and two of them.
        for count in [3000, ZstdFrames.contentBytes + 100] {
            let content = generator.bytes(count)
            let store = try LocalStore(at: folder.file("store-\(count)"))
            let digest = try store.write(content)
            try store.flush()
            let file = store.layout.blob(digest)
            let intact = try contents(file)
            for round in 0..<min(FuzzTests.rounds, count > 10_000 ? FuzzTests.rounds / 60 : FuzzTests.rounds / 4) {
                let bytes = mutation(of: intact, with: intact, &generator)
                try FileSystem.remove(file)
                try bytes.withUnsafeBytes { try FileSystem.create(file, $0) }
                let reader = try LocalStore(at: store.path, access: .readOnly)
                do {
                    let read = try reader.read(digest, limit: count)
                    #expect(read == content, "seed 44, \(count) bytes, round \(round)")
                } catch let error as ContentStoreError {
                    #expect(error.code == .corruptBlob || error.code == .tooLarge, "\(error)")
                }
            }
        }
    }

    @Test func aFileOfZstdFramesFromElsewhereIsReadOrRefused() throws {
        var generator = SeededGenerator(seed: 45)
        let frame = generator.bytes(5000).withUnsafeBytes { BlobFile.compress($0, level: 3) }
        for _ in 0..<FuzzTests.rounds {
            let bytes = mutation(of: frame, with: frame, &generator)
            do {
                let content = try Zstandard.decompressIfCompressed(bytes, name: "data.zst", limit: 20_000)
                #expect(content.count <= 20_000)
            } catch let error as ContentStoreError {
                #expect(error.subject == "data.zst")
            }
        }
    }

    @Test func damagedCachesAreStartedAfresh() throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 46)
        let source = try folder.write("source", "content")
        let status = try #require(try FileSystem.status(of: source))
        let entry = StatCache.Entry(status, Digest(of: "content"))
        let document = StatCacheDocument.encode([source: entry])
        for _ in 0..<FuzzTests.rounds {
            let bytes = mutation(of: document, with: document, &generator)
            if let entries = StatCacheDocument.decode(bytes) {
                #expect(bytes == document && entries == [source: entry])
            }
        }
    }
}
