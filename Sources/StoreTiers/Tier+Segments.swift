import ContentStore
import Glibc
import HTTPTransport

/// Segments travel as blobs do: compressed, verified, and signed where this machine signs.
extension Tier: SegmentStorage {
    public func segments(of collection: SegmentCollection) throws -> [Digest] {
        try Network.wait {
            try await self.prepare()
            return try await self.storage.segments(of: collection).sorted()
        }
    }

    public func readSegment(_ digest: Digest, of collection: SegmentCollection, limit: Int) throws -> [UInt8] {
        try Network.wait { try await self.segment(digest, of: collection, limit: limit) }
    }

    public func readSegments(
        _ digests: [Digest], of collection: SegmentCollection, limit: Int
    ) throws -> [Result<[UInt8], any Error>] {
        try Network.wait {
            try await concurrently(digests, width: self.storage.parallelism) { digest in
                do {
                    return .success(try await self.segment(digest, of: collection, limit: limit))
                } catch let error as TierError where TierError.Code.ofOneObject.contains(error.code) {
                    return .failure(error)
                }
            }
        }
    }

    @discardableResult
    public func appendSegment(_ content: [UInt8], to collection: SegmentCollection) throws -> Digest {
        let bytes = try SignedSegment.encode(content, of: collection, signer: signer)
        let digest = Digest(of: bytes)
        try Network.wait {
            try await self.prepareToWrite()
            try await self.storage.write(.segment(collection, digest), Zstandard.compress(bytes))
            try await self.storage.register(digest, in: collection)
        }
        return digest
    }

    public func relistSegment(_ digest: Digest, of collection: SegmentCollection) throws -> Bool {
        try Network.wait {
            try await self.prepare()
            guard try await self.storage.status(of: .segment(collection, digest)) != nil else { return false }
            if self.isWritable { try await self.storage.register(digest, in: collection) }
            return true
        }
    }

    private func segment(_ digest: Digest, of collection: SegmentCollection, limit: Int) async throws -> [UInt8] {
        try await prepare()
        let stored = try await downloadSegment(digest, of: collection, limit: limit)
        let name = "segment \(digest.short) of \(collection)"
        let most = limit + Signatures.maximumBytes
        let expanded = (try? Zstandard.decompressIfCompressed(stored, name: name, limit: most)) ?? stored
        guard let bytes = [expanded, stored].first(where: { $0.count <= most && Digest(of: $0) == digest }) else {
            throw TierError(
                .damaged, self.name, "\(name) is damaged: its content has another digest",
                remedy: "export it again from a store that has it")
        }
        let (content, distrust) = SignedSegment.decode(bytes, of: collection, trusted: settings.trustedSigners)
        if let distrust {
            throw TierError(
                .untrusted, self.name, "\(name) is not used: \(distrust)",
                remedy: "add its signer to the tier's \"trusted\" if you trust it")
        }
        return content
    }

    private func downloadSegment(
        _ digest: Digest, of collection: SegmentCollection, limit: Int
    ) async throws -> [UInt8] {
        let folder = try FileSystem.makeTemporaryFolder("retort-segment")
        let path = "\(folder)/segment"
        defer {
            _ = unlink(path)
            _ = rmdir(folder)
        }
        let most = limit + limit >> 10 + Signatures.maximumBytes + 4096
        guard try await storage.download(.segment(collection, digest), limit: most, to: path, check: nil),
            let bytes = try FileSystem.contents(of: path, limit: most)
        else {
            throw TierError(
                .missing, name, "segment \(digest.short) of \(collection) is not there",
                remedy: "export it again from a store that has it")
        }
        return bytes
    }
}

extension TierError.Code {
    /// What is wrong with one object and says nothing of the others.
    fileprivate static let ofOneObject: Set<TierError.Code> = [.damaged, .missing, .untrusted]
}
