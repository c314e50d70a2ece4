import CanonicalJSON
import ContentStore
import Glibc
import HTTPTransport
import Synchronization

/// One place that shares blobs and results, used by one process.
///
/// All it says is verified by whoever takes it over; results are checked here, for format and trust.
public final class Tier: Sendable {
    public static let formatVersion = 1

    public let settings: TierSettings
    /// The URL, which names the tier in messages.
    public let name: String
    let storage: any ObjectStorage
    private let signer: SigningKey?
    private let state: Mutex<State>

    private struct State {
        var preparation: Task<Bool, any Error>?
        var isPrepared = false
        var writtenFormat: Task<Void, any Error>?
        /// Blobs known to be there.
        var held: Set<Digest>
        /// Blobs whose content there is known to be damaged.
        var damaged: Set<Digest> = []
    }

    /// - Parameters:
    ///   - held: blobs remembered to be there.
    ///   - signer: signs the results that are uploaded.
    init(_ settings: TierSettings, storage: any ObjectStorage, signer: SigningKey? = nil, held: Set<Digest> = []) {
        self.settings = settings
        self.storage = storage
        self.signer = signer
        name = settings.url.description
        state = Mutex(State(held: held))
    }

    var isWritable: Bool { settings.access == .readWrite }

    // MARK: Format

    private static var formatDocument: [UInt8] {
        JSON.object(JSONObject([("format", .string("retort-tier/\(formatVersion)"))])).canonicalBytes
    }

    /// Checks once that the tier can be reached and has a format that this program knows.
    func prepare() async throws { _ = try await hasFormat() }

    /// Whether it could be reached once.
    var isPrepared: Bool { state.withLock { $0.isPrepared } }

    private func hasFormat() async throws -> Bool {
        let task = state.withLock { state in
            if let task = state.preparation { return task }
            let task = Task(executorPreference: Network.executor) {
                let hasFormat = try await self.readFormat()
                self.state.withLock { $0.isPrepared = true }
                return hasFormat
            }
            state.preparation = task
            return task
        }
        return try await task.value
    }

    private func readFormat() async throws -> Bool {
        guard let bytes = try await storage.read(.format, limit: 4096) else { return false }
        let text = (try? JSON.parse(bytes))?["format"]?.string ?? ""
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "retort-tier", let version = Int(parts[1]), version >= 1 else {
            throw TierError(
                .format, name, "what lies there is no tier: its format document does not say retort-tier",
                remedy: "choose another place, or remove what lies there")
        }
        guard version <= Tier.formatVersion else {
            throw TierError(
                .format, name,
                "it was made by a newer Retort (tier format \(version); this program knows \(Tier.formatVersion))",
                remedy: "update Retort, or use another tier")
        }
        return true
    }

    /// Writes the format document before the first object.
    private func prepareToWrite() async throws {
        guard isWritable else {
            throw TierError(
                .readOnly, name, "it is configured as read-only",
                remedy: "set its access to read-write if you may write to it")
        }
        let hasFormat = try await hasFormat()
        let task = state.withLock { state in
            if let task = state.writtenFormat { return task }
            let task = Task(executorPreference: Network.executor) {
                if !hasFormat { try await self.storage.write(.format, Tier.formatDocument) }
            }
            state.writtenFormat = task
            return task
        }
        try await task.value
    }

    // MARK: Blobs

    /// Those of `digests` that the tier holds. What was found or remembered to be there is not asked for again.
    func held(among digests: [Digest]) async throws -> (held: Set<Digest>, new: [Digest]) {
        let (known, unknown) = state.withLock { state in
            (digests.filter(state.held.contains), digests.filter { !state.held.contains($0) })
        }
        // A run without changes knows all it needs, and then needs no network.
        guard !unknown.isEmpty else { return (Set(known), []) }
        try await prepare()
        let asked = state.withLock { state in unknown.filter { !state.damaged.contains($0) } }
        let found = try await concurrently(asked, width: storage.parallelism) { digest in
            try await self.storage.status(of: .blob(digest)) != nil
        }
        let new = zip(asked, found).filter(\.1).map(\.0)
        state.withLock { $0.held.formUnion(new) }
        return (Set(known).union(new), new)
    }

    /// Writes a blob's file to `path`. Returns whether the tier holds it.
    func download(_ digest: Digest, limit: Int, to path: String) async throws -> Bool {
        try await prepare()
        // Frames of incompressible content are a little larger than it.
        let (most, overflow) = limit.addingReportingOverflow(limit >> 10 + 4096)
        let isThere = try await storage.download(.blob(digest), limit: overflow ? Int.max : most, to: path)
        if !isThere { forget(digest) }
        return isThere
    }

    func upload(_ digest: Digest, fileAt path: String, bytes: Int) async throws {
        try await prepareToWrite()
        try await storage.write(.blob(digest), fileAt: path, bytes: bytes)
        state.withLock { state in
            state.held.insert(digest)
            state.damaged.remove(digest)
        }
    }

    func forget(_ digest: Digest) { state.withLock { _ = $0.held.remove(digest) } }

    func noteDamage(_ digest: Digest) {
        state.withLock { state in
            state.held.remove(digest)
            state.damaged.insert(digest)
        }
    }

    func isKnownDamaged(_ digest: Digest) -> Bool { state.withLock { $0.damaged.contains(digest) } }

    // MARK: Results

    /// What the tier has for a key, checked for format and trust; nil where it has nothing.
    func result(for key: Digest) async throws -> SignedResult.Reading? {
        try await prepare()
        guard let bytes = try await storage.read(.result(key), limit: SignedResult.maximumBytes) else { return nil }
        return SignedResult.decode(bytes, key: key, trusted: settings.trustedSigners)
    }

    /// Publishes a result. All the blobs it needs are there.
    func upload(_ result: ActionResult, for key: Digest) async throws {
        try await prepareToWrite()
        try await storage.write(.result(key), SignedResult.encode(result.document(for: key), signer: signer))
    }
}

// MARK: - Segments

extension Tier: SegmentStorage {
    public func segments(of collection: SegmentCollection) throws -> [Digest] {
        try Network.wait {
            try await self.prepare()
            return try await self.storage.segments(of: collection).sorted()
        }
    }

    public func readSegment(_ digest: Digest, of collection: SegmentCollection, limit: Int) throws -> [UInt8] {
        let bytes = try Network.wait {
            try await self.prepare()
            return try await self.downloadSegment(digest, of: collection, limit: limit)
        }
        let name = "segment \(digest.short) of \(collection)"
        let content = (try? Zstandard.decompressIfCompressed(bytes, name: name, limit: limit)) ?? bytes
        for candidate in [content, bytes] where candidate.count <= limit && Digest(of: candidate) == digest {
            return candidate
        }
        throw TierError(
            .damaged, self.name, "\(name) is damaged: its content has another digest",
            remedy: "export it again from a store that has it")
    }

    @discardableResult
    public func appendSegment(_ content: [UInt8], to collection: SegmentCollection) throws -> Digest {
        let digest = Digest(of: content)
        try Network.wait {
            try await self.prepareToWrite()
            let segment = ObjectName.segment(collection, digest)
            if try await self.storage.status(of: segment) == nil {
                try await self.storage.write(segment, Zstandard.compress(content))
            }
            try await self.storage.register(digest, in: collection)
        }
        return digest
    }

    private func downloadSegment(
        _ digest: Digest, of collection: SegmentCollection, limit: Int
    ) async throws -> [UInt8] {
        var template = Array("/tmp/retort-segment-XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ mkdtemp($0.baseAddress!) }) != nil else {
            throw FileSystem.failure("creating a folder", "/tmp")
        }
        let folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        let path = "\(folder)/segment"
        defer {
            _ = unlink(path)
            _ = rmdir(folder)
        }
        let most = limit + limit >> 10 + 4096
        guard try await storage.download(.segment(collection, digest), limit: most, to: path),
            let bytes = try FileSystem.contents(of: path, limit: most)
        else {
            throw TierError(
                .missing, name, "segment \(digest.short) of \(collection) is not there",
                remedy: "export it again from a store that has it")
        }
        return bytes
    }
}
