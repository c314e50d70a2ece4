import Glibc

/// What a tier is known to hold, remembered by this machine: so that a run without changes asks no server.
///
/// Each entry of the file is a byte, 1 for *held* and 0 for *no longer*, and 32 bytes of digest. It may be removed at any
/// time; then the tier is asked again.
public struct TierMemory: Sendable {
    private static let entryBytes = 33
    private let log: EntryLog

    init(path: String) { log = EntryLog(path: path, entryBytes: TierMemory.entryBytes) }

    /// What is remembered. O(size of the file).
    public func blobs() throws -> Set<Digest> {
        var held: Set<Digest> = []
        try log.read { entry in
            let digest = Digest(raw: UnsafeRawBufferPointer(rebasing: entry[1...]))
            if entry[0] == 1 { held.insert(digest) } else { held.remove(digest) }
        }
        return held
    }

    public func remember(_ digests: [Digest]) throws { try append(digests, mark: 1) }

    public func forget(_ digests: [Digest]) throws { try append(digests, mark: 0) }

    public func forgetAll() throws { try log.clear() }

    private func append(_ digests: [Digest], mark: UInt8) throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digests.count * TierMemory.entryBytes)
        for digest in digests {
            bytes.append(mark)
            digest.withRawBytes { bytes.append(contentsOf: $0) }
        }
        try log.append(bytes)
    }
}

extension LocalStore {
    /// Which blobs this machine knows to be in a tier, by the tier's URL.
    public func memory(of tier: String) -> TierMemory { memory(of: tier, kind: "blobs") }

    /// Which segments of a collection this machine knows to be in a tier, and which entries are in them.
    public func memory(
        of collection: SegmentCollection, in tier: String
    ) -> (segments: TierMemory, entries: TierMemory) {
        (memory(of: tier, kind: "\(collection)-segments"), memory(of: tier, kind: "\(collection)-entries"))
    }

    private func memory(of tier: String, kind: String) -> TierMemory {
        TierMemory(path: "\(layout.local)/tier-\(Digest(of: tier).short).\(kind)")
    }

    /// Blobs that some tier is known to hold.
    func blobsElsewhere() throws -> Set<Digest> {
        var blobs: Set<Digest> = []
        for name in try FileSystem.names(in: layout.local) ?? []
        where name.hasPrefix("tier-") && name.hasSuffix(".blobs") {
            blobs.formUnion(try TierMemory(path: "\(layout.local)/\(name)").blobs())
        }
        return blobs
    }
}
