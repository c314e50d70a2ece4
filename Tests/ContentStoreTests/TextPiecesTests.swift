import Testing

@testable import ContentStore

/// Long texts that are never in memory as a whole.
@Suite struct TextPiecesTests {
    private func pieces(_ count: Int) -> TextPieces<Range<Int>.Iterator> {
        TextPieces(
            opening: Array("<".utf8), (0..<count).makeIterator(), closing: Array(">".utf8)
        ) { number, isFirst, bytes in
            bytes.append(contentsOf: (isFirst ? "\(number)" : ",\(number)").utf8)
        }
    }

    private func text(_ count: Int) -> [UInt8] {
        Array("<\((0..<count).map(String.init).joined(separator: ","))>".utf8)
    }

    @Test(arguments: [0, 1, 2, 10_000, 30_000]) func theyAreTheTextWhereverItIsCut(count: Int) {
        #expect(Array(pieces(count).joined()) == text(count))
        #expect(pieces(count).joined(capacity: 0) == text(count))
        #expect(Digest(ofPieces: pieces(count)) == Digest(of: text(count)))
        #expect(pieces(count).allSatisfy { $0.count < 1 << 17 }, "no piece holds much")
    }

    /// 8 MB, so that the content spans frames.
    @Test(arguments: [0, 1, 1_200_000]) func contentInPiecesIsTheSameBlobAsInOne(count: Int) throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let store = try LocalStore(at: folder.file("store"))
        let digest = try store.write(pieces: pieces(count))
        #expect(digest == Digest(of: text(count)))
        #expect(try store.read(digest, limit: 1 << 24) == text(count))
        #expect(try store.write(text(count)) == digest)
        #expect(try store.write(pieces: pieces(count)) == digest, "what is there already is kept")
    }

    @Test func aManifestOfManyShardsIsWrittenInPiecesAndReadBack() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let store = try LocalStore(at: folder.file("store"))
        for count in [4096, 4097, 40_000] {
            let shards = (0..<count).map { index in
                Shard(
                    prefix: ShardPrefix(bits: UInt64(index) << 46, length: 18), digest: Digest(of: "\(index)"),
                    records: 1, bytes: 9)
            }
            let artifact = try Artifact(type: ArtifactType(name: "questions", version: 1), shards: shards)
            #expect(artifact.digest == Digest(of: artifact.manifest))
            try store.write(artifact)
            #expect(try store.read(artifact.digest, limit: 1 << 24) == artifact.manifest)
            #expect(try store.readArtifact(artifact.digest).shards == shards)
        }
    }
}
