import ContentStore

/// What a tier keeps, by name.
enum ObjectName: Hashable, Sendable {
    /// The document that says which format the tier has.
    case format
    case blob(Digest)
    case result(Digest)
    case segment(SegmentCollection, Digest)

    /// Where it lies in a directory or a bucket. Blobs lie as they do in a store.
    var path: String {
        switch self {
        case .format: "retort-tier.json"
        case .blob(let digest): "blobs/\(digest.hex.prefix(2))/\(digest.hex).zst"
        case .result(let key): "actions/\(key.hex.prefix(2))/\(key.hex).json"
        case .segment(let collection, let digest): "segments/\(collection)/\(digest.hex).zst"
        }
    }

    /// The object that lies at a path; nil for one of no object.
    init?(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let dot = parts[2].lastIndex(of: "."),
            let digest = Digest(hex: parts[2][..<dot])
        else { return nil }
        let name: ObjectName
        switch parts[0] {
        case "blobs": name = .blob(digest)
        case "actions": name = .result(digest)
        case "segments":
            guard let collection = SegmentCollection(String(parts[1])) else { return nil }
            name = .segment(collection, digest)
        default: return nil
        }
        guard name.path == path else { return nil }
        self = name
    }
}

/// What is known of an object without reading it.
struct ObjectStatus: Sendable, Equatable {
    /// As it lies there, compressed.
    var bytes: Int?
    /// Changes when the object does, as far as the storage tells: an ETag, or size and time.
    var validator: String?
}

/// Where a tier's objects lie: names and bytes. It neither verifies nor decides anything.
///
/// Every call throws ``TierError`` when the storage fails after all attempts. Objects appear whole or not at all.
protocol ObjectStorage: Sendable {
    /// How many requests are worth having under way at once.
    var parallelism: Int { get }

    /// Nil where there is no such object.
    func status(of object: ObjectName) async throws -> ObjectStatus?

    /// The same of many blobs, in their order.
    func statuses(of blobs: [Digest]) async throws -> [ObjectStatus?]

    /// A small object; nil where there is none.
    func read(_ object: ObjectName, limit: Int) async throws -> [UInt8]?

    /// Writes an object to a new file at `path`. Returns whether there is such an object.
    ///
    /// - Parameter check: sees what is written.
    func download(_ object: ObjectName, limit: Int, to path: String, check: IncomingBlob?) async throws -> Bool

    func write(_ object: ObjectName, _ bytes: [UInt8]) async throws

    /// Returns the new object's status where the storage tells without being asked again.
    @discardableResult
    func write(_ object: ObjectName, fileAt path: String, bytes: Int) async throws -> ObjectStatus?

    /// Removes an object; one that is not there is fine.
    func remove(_ object: ObjectName) async throws

    /// All blobs and results, in any order; nil where the storage cannot list.
    func contents() async throws -> [ObjectName]?

    func segments(of collection: SegmentCollection) async throws -> [Digest]

    /// Makes a segment that has been written part of its collection.
    func register(_ segment: Digest, in collection: SegmentCollection) async throws
}

extension ObjectStorage {
    func statuses(of blobs: [Digest]) async throws -> [ObjectStatus?] {
        try await concurrently(blobs, width: parallelism) { try await self.status(of: .blob($0)) }
    }
}
