import CanonicalJSON
import ContentStore
import Glibc
import HTTPTransport
import Synchronization

/// A tier on an HTTP server in the dialect of Bazel's remote caches: blobs under `/cas/<sha256>`, results under
/// `/ac/<sha256>`.
///
/// Blobs are sent as zstd with `Content-Encoding: zstd`. A server that speaks it stores the content and checks its
/// digest. One that only keeps what it gets, such as plain WebDAV, keeps the frames, which say themselves what they
/// are when they come back. One that refuses the encoding is sent plain content from then on. What comes back is told
/// apart by its bytes and its digest, never by a header.
struct RemoteCacheStorage: ObjectStorage {
    let base: WebAddress
    let tier: String
    let transfer: WebTransfer
    /// The plain content of a blob, as a temporary file.
    let expand: @Sendable (Digest) throws -> (path: String, bytes: Int)
    private let mode = Mode()

    init(
        base: WebAddress, tier: String, transfer: WebTransfer,
        expand: @escaping @Sendable (Digest) throws -> (path: String, bytes: Int)
    ) {
        self.base = base
        self.tier = tier
        self.transfer = transfer
        self.expand = expand
    }

    var parallelism: Int { transfer.client.settings.connections }

    private final class Mode: Sendable {
        private let plain = Mutex(false)
        /// Whether the server has refused compressed content and taken plain content.
        var isPlain: Bool { plain.withLock { $0 } }
        func becomePlain() { plain.withLock { $0 = true } }
    }

    private func address(_ object: ObjectName) -> WebAddress {
        switch object {
        case .blob(let digest), .segment(_, let digest): base.appending("cas", digest.hex)
        case .result(let key): base.appending("ac", key.hex)
        case .format: base.appending("ac", Digest(of: "retort-tier/format").hex)
        }
    }

    func status(of object: ObjectName) async throws -> ObjectStatus? {
        let response = try await transfer.send(WebRequest(.head, address(object)), accepting: [404])
        guard response.status != 404 else { return nil }
        return ObjectStatus(
            bytes: response[header: "Content-Length"].flatMap { Int($0) }, validator: response[header: "ETag"])
    }

    func read(_ object: ObjectName, limit: Int) async throws -> [UInt8]? {
        try await document(at: address(object), limit: limit)
    }

    private func document(at address: WebAddress, limit: Int) async throws -> [UInt8]? {
        // The message adds its tag and length, and servers add what they like.
        let response = try await transfer.send(
            WebRequest(.get, address), limit: limit + 64 << 10, accepting: [404])
        guard response.status != 404 else { return nil }
        guard let document = ActionResultMessage.decode(response.body) else {
            throw TierError(
                .format, tier, "GET \(address): what came is no action result of a remote cache",
                remedy: "check that the URL names a remote cache and not, say, a web page")
        }
        return document
    }

    func download(_ object: ObjectName, limit: Int, to path: String) async throws -> Bool {
        let request = WebRequest(.get, address(object), headers: [("Accept-Encoding", "zstd")])
        return try await transfer.download(request, limit: limit, to: path)
    }

    func write(_ object: ObjectName, _ bytes: [UInt8]) async throws {
        switch object {
        case .format, .result: try await put(document: bytes, at: address(object))
        case .blob, .segment: try await put(.bytes(bytes), object)
        }
    }

    func write(_ object: ObjectName, fileAt path: String, bytes: Int) async throws {
        try await put(.file(path: path, offset: 0, count: bytes), object)
    }

    private func put(document: [UInt8], at address: WebAddress) async throws {
        _ = try await transfer.send(
            WebRequest(
                .put, address, headers: [("Content-Type", "application/octet-stream")],
                body: .bytes(ActionResultMessage.encode(document))))
    }

    /// - Parameter frames: the content as zstd frames.
    private func put(_ frames: WebRequest.Body, _ object: ObjectName) async throws {
        guard !mode.isPlain else { return try await putPlain(frames, object) }
        let refusals: Set<Int> = [400, 406, 415, 422]
        let response = try await transfer.send(put(frames, object, encoding: "zstd"), accepting: refusals)
        guard refusals.contains(response.status) else { return }
        try await putPlain(frames, object)
        mode.becomePlain()
    }

    private func putPlain(_ frames: WebRequest.Body, _ object: ObjectName) async throws {
        switch (object, frames) {
        case (.blob(let digest), _):
            let (path, bytes) = try expand(digest)
            defer { _ = unlink(path) }
            _ = try await transfer.send(put(.file(path: path, offset: 0, count: bytes), object, encoding: nil))
        case (_, .bytes(let bytes)):
            let content = try Zstandard.decompressIfCompressed(bytes, name: object.path, limit: 1 << 30)
            _ = try await transfer.send(put(.bytes(content), object, encoding: nil))
        default: _ = try await transfer.send(put(frames, object, encoding: nil))
        }
    }

    private func put(_ body: WebRequest.Body, _ object: ObjectName, encoding: String?) -> WebRequest {
        var headers = [("Content-Type", "application/octet-stream")]
        if let encoding { headers.append(("Content-Encoding", encoding)) }
        return WebRequest(.put, address(object), headers: headers, body: body)
    }

    func remove(_ object: ObjectName) async throws {
        _ = try await transfer.send(WebRequest(.delete, address(object)), accepting: [404])
    }

    func contents() async throws -> [ObjectName]? { nil }
}

// MARK: - Segments

/// A remote cache cannot list, so each collection has an index document. Two who write it at once may lose an entry
/// for a moment: whoever adds one reads the index back until its entry stays.
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
                remedy: "export again: what is missing is added anew")
        }
        return names.compactMap { $0.string.flatMap { Digest(hex: $0) } }
    }

    func register(_ segment: Digest, in collection: SegmentCollection) async throws {
        for _ in 0..<Self.attempts {
            let known = Set(try await segments(of: collection))
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
