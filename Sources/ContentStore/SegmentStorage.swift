/// Named collections of immutable pieces, shared between machines: what travels beside blobs and results.
///
/// A collection only grows. A segment is named by the digest of its bytes, so appending the same content twice is
/// appending it once, two machines never overwrite each other, and what comes back is verified. All calls block the
/// calling thread.
public protocol SegmentStorage: Sendable {
    /// The segments of a collection that are known now, sorted; none for a collection that does not exist.
    func segments(of collection: SegmentCollection) throws -> [Digest]

    /// A segment's content, verified against its digest and, where signatures are asked for, against them.
    ///
    /// - Parameter limit: how many bytes it may have.
    func readSegment(_ digest: Digest, of collection: SegmentCollection, limit: Int) throws -> [UInt8]

    /// The contents of several segments in their order, read at once. They are held in memory together.
    func readSegments(
        _ digests: [Digest], of collection: SegmentCollection, limit: Int
    ) throws -> [Result<[UInt8], any Error>]

    /// Adds a segment, also over a damaged one of that name; on return others can see it.
    @discardableResult
    func appendSegment(_ content: [UInt8], to collection: SegmentCollection) throws -> Digest

    /// Whether a segment that is not listed is there all the same; then it is listed again.
    func relistSegment(_ digest: Digest, of collection: SegmentCollection) throws -> Bool
}

/// The name of a collection: lower-case letters, digits and hyphens, such as `teacher-ledger`.
public struct SegmentCollection: Hashable, Sendable, CustomStringConvertible {
    public let name: String

    /// Nil for a name that is not allowed.
    public init?(_ name: String) {
        let isAllowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isAllowed, !name.isEmpty, name.utf8.count <= 64, name.utf8.first != UInt8(ascii: "-") else { return nil }
        self.name = name
    }

    public var description: String { name }
}
