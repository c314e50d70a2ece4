import CanonicalJSON
import ContentStore
import HTTPTransport

/// A remote cache cannot list, so each collection has an index document. Two who write it at once may lose an entry
/// for a moment: whoever adds one reads the index back until its entry stays, and whoever later misses one that is there
/// lists it again.
extension RemoteCacheStorage {
    private static let attempts = 8
    private static let indexFormat = "retort-segments/1"
    private static let maximumIndexBytes = 16 << 20

    private func indexAddress(_ collection: SegmentCollection) -> WebAddress {
        base.appending("ac", Digest(of: "retort-tier/segments/\(collection)").hex)
    }

    func segments(of collection: SegmentCollection) async throws -> [Digest] {
        let bytes = try await document(at: indexAddress(collection), limit: Self.maximumIndexBytes)
        guard let bytes else { return [] }
        guard let index = try? JSON.parse(bytes), index["format"]?.string == Self.indexFormat,
            let names = index["segments"]?.array
        else {
            throw TierError(
                .damaged, tier, "the index of \(collection) is damaged",
                remedy: "push again from the stores that have sent to it: what is missing is listed anew")
        }
        return names.compactMap { $0.string.flatMap { Digest(hex: $0) } }
    }

    /// Those that an intact index names; an index that is damaged is written anew.
    private func knownSegments(of collection: SegmentCollection) async throws -> Set<Digest> {
        do {
            return Set(try await segments(of: collection))
        } catch let error as TierError where error.code == .damaged {
            return []
        }
    }

    func register(_ segment: Digest, in collection: SegmentCollection) async throws {
        for _ in 0..<Self.attempts {
            let known = try await knownSegments(of: collection)
            if known.contains(segment) { return }
            let index: JSON = [
                "format": .string(Self.indexFormat),
                "segments": .array(known.union([segment]).sorted().map { .string($0.hex) }),
            ]
            try await put(document: index.canonicalBytes, at: indexAddress(collection))
        }
        guard try await segments(of: collection).contains(segment) else {
            throw TierError(
                .unreachable, tier, "the index of \(collection) does not keep what is written",
                remedy: "try again when nobody else writes to it, or check the server")
        }
    }
}
