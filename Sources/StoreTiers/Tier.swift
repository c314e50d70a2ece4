import CanonicalJSON
import ContentStore
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
    let signer: SigningKey?
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
    public func prepare() async throws { _ = try await hasFormat() }

    /// Whether it could be reached once.
    var isPrepared: Bool { state.withLock { $0.isPrepared } }

    /// Whether nobody has written to it yet: then it holds nothing that would have to be asked for.
    private func isNew() async throws -> Bool {
        let hasFormat = try await hasFormat()
        return state.withLock { !hasFormat && $0.writtenFormat == nil }
    }

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
    func prepareToWrite() async throws {
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
        if try await isNew() { return (Set(known), []) }
        let asked = state.withLock { state in unknown.filter { !state.damaged.contains($0) } }
        let found = try await storage.statuses(of: asked)
        let new = zip(asked, found).filter { $1 != nil }.map(\.0)
        state.withLock { $0.held.formUnion(new) }
        return (Set(known).union(new), new)
    }

    /// How blobs lie there now, whatever is remembered; nil for one that is not there.
    func statuses(of digests: [Digest]) async throws -> [ObjectStatus?] {
        let statuses = try await isNew() ? digests.map { _ in nil } : storage.statuses(of: digests)
        state.withLock { state in
            for (digest, status) in zip(digests, statuses) {
                if status == nil { state.held.remove(digest) } else { state.held.insert(digest) }
            }
        }
        return statuses
    }

    /// Writes a blob's file to `path`. Returns whether the tier holds it.
    ///
    /// - Parameter check: sees what is written.
    func download(_ digest: Digest, limit: Int, to path: String, check: IncomingBlob? = nil) async throws -> Bool {
        try await prepare()
        // Frames of incompressible content are a little larger than it.
        let (most, overflow) = limit.addingReportingOverflow(limit >> 10 + 4096)
        let isThere = try await storage.download(
            .blob(digest), limit: overflow ? Int.max : most, to: path, check: check)
        if !isThere { forget(digest) }
        return isThere
    }

    /// Returns how the blob lies there now, where the storage says.
    func upload(_ digest: Digest, fileAt path: String, bytes: Int) async throws -> ObjectStatus? {
        try await prepareToWrite()
        let status = try await storage.write(.blob(digest), fileAt: path, bytes: bytes)
        state.withLock { state in
            state.held.insert(digest)
            state.damaged.remove(digest)
        }
        return status
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
