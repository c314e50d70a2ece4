import Glibc

/// Which blobs a tier is known to hold, remembered by this machine: so that a run without changes asks no server.
///
/// The file is appended to: each entry is a byte, 1 for *held* and 0 for *no longer*, and 32 bytes of digest. Of several
/// entries the last counts. It may be removed at any time; then the tier is asked again.
public struct TierMemory: Sendable {
    private static let entryBytes = 33
    let path: String

    /// What is remembered. O(size of the file).
    public func blobs() throws -> Set<Digest> {
        guard let file = try FileSystem.openIfPresent(path) else { return [] }
        let bytes = try FileSystem.contents(of: file, path, count: FileSystem.status(of: file, path).bytes)
        var held: Set<Digest> = []
        bytes.withUnsafeBytes { buffer in
            // A last entry that was cut off says nothing.
            for start in stride(from: 0, to: buffer.count / TierMemory.entryBytes * TierMemory.entryBytes, by: 33) {
                let digest = Digest(raw: UnsafeRawBufferPointer(rebasing: buffer[start + 1..<start + 33]))
                if buffer[start] == 1 { held.insert(digest) } else { held.remove(digest) }
            }
        }
        return held
    }

    public func remember(_ digests: [Digest]) throws { try append(digests, mark: 1) }

    public func forget(_ digests: [Digest]) throws { try append(digests, mark: 0) }

    private func append(_ digests: [Digest], mark: UInt8) throws {
        guard !digests.isEmpty else { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digests.count * TierMemory.entryBytes)
        for digest in digests {
            bytes.append(mark)
            digest.withRawBytes { bytes.append(contentsOf: $0) }
        }
        // One call, so that what several processes append does not mix.
        let file = try FileSystem.open(path, O_WRONLY | O_CREAT | O_APPEND)
        let end = try FileSystem.status(of: file, path).bytes
        if end % TierMemory.entryBytes != 0 {
            // Someone died while writing: whole entries have to follow.
            bytes = [UInt8](repeating: 0, count: TierMemory.entryBytes - end % TierMemory.entryBytes) + bytes
        }
        try bytes.withUnsafeBytes { try FileSystem.write($0, to: file.raw, path) }
    }
}

extension LocalStore {
    /// What this machine remembers of a tier, by the tier's URL.
    public func memory(of tier: String) -> TierMemory {
        TierMemory(path: "\(layout.local)/tier-\(Digest(of: tier).short).blobs")
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
