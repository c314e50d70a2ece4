import CanonicalJSON
import ContentStore
import Glibc
import HTTPTransport

/// A tier on an HTTP server in the dialect of Bazel's remote caches: blobs under `/cas/<sha256>`, results under
/// `/ac/<sha256>`. See ``RemoteCacheLayout`` for servers that do not speak zstd.
///
/// What comes back is told apart by its bytes and its digest, never by a header.
struct RemoteCacheStorage: ObjectStorage {
    let base: WebAddress
    let tier: String
    let transfer: WebTransfer
    /// The plain content of a blob, as a temporary file.
    let expand: @Sendable (Digest) throws -> (path: String, bytes: Int)
    let server = RemoteCacheKnowledge()

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

    private func address(_ object: ObjectName) -> WebAddress {
        switch object {
        case .blob(let digest), .segment(_, let digest): base.appending(server.layout.rawValue, digest.hex)
        case .result(let key): base.appending("ac", key.hex)
        case .format: base.appending("ac", Digest(of: "retort-tier/format").hex)
        }
    }

    func status(of object: ObjectName) async throws -> ObjectStatus? {
        let response = try await transfer.send(WebRequest(.head, address(object)), accepting: [404])
        guard response.status != 404 else { return nil }
        return ObjectStatus(
            bytes: response[header: "Content-Length"].flatMap { Int($0) },
            validator: response[header: "ETag"] ?? response[header: "Last-Modified"])
    }

    func read(_ object: ObjectName, limit: Int) async throws -> [UInt8]? {
        let document = try await document(at: address(object), limit: limit)
        if object == .format, let document { server.layout = RemoteCacheLayout(document: document) }
        return document
    }

    func document(at address: WebAddress, limit: Int) async throws -> [UInt8]? {
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

    func download(
        _ object: ObjectName, limit: Int, to path: String, check: IncomingBlob?
    ) async throws -> Bool {
        var request = WebRequest(.get, address(object))
        if server.layout == .content { request.headers.append(("Accept-Encoding", "zstd")) }
        return try await transfer.download(request, limit: limit, to: path, check: check)
    }

    func write(_ object: ObjectName, _ bytes: [UInt8]) async throws {
        switch object {
        case .format:
            let layout = try await chooseLayout()
            try await put(document: layout.noted(in: bytes), at: address(object))
        case .result: try await put(document: bytes, at: address(object))
        case .blob, .segment: try await put(.bytes(bytes), object)
        }
    }

    func write(_ object: ObjectName, fileAt path: String, bytes: Int) async throws -> ObjectStatus? {
        try await put(.file(path: path, offset: 0, count: bytes), object)
        return nil
    }

    func put(document: [UInt8], at address: WebAddress) async throws {
        _ = try await transfer.send(put(.bytes(ActionResultMessage.encode(document)), at: address, encoding: nil))
    }

    /// - Parameter frames: the content as zstd frames.
    private func put(_ frames: WebRequest.Body, _ object: ObjectName) async throws {
        if server.layout == .frames {
            _ = try await transfer.send(put(frames, at: address(object), encoding: nil))
            return
        }
        switch try await encoding() {
        case .zstd: _ = try await transfer.send(put(frames, at: address(object), encoding: "zstd"))
        case .plain, .unchecked: try await putPlain(frames, object)
        }
    }

    private func putPlain(_ frames: WebRequest.Body, _ object: ObjectName) async throws {
        switch (object, frames) {
        case (.blob(let digest), .file):
            let (path, bytes) = try expand(digest)
            defer { _ = unlink(path) }
            let body = WebRequest.Body.file(path: path, offset: 0, count: bytes)
            _ = try await transfer.send(put(body, at: address(object), encoding: nil))
        case (_, .bytes(let bytes)):
            let content = try Zstandard.decompressIfCompressed(bytes, name: object.path, limit: 1 << 30)
            _ = try await transfer.send(put(.bytes(content), at: address(object), encoding: nil))
        default: _ = try await transfer.send(put(frames, at: address(object), encoding: nil))
        }
    }

    private func put(_ body: WebRequest.Body, at address: WebAddress, encoding: String?) -> WebRequest {
        var headers = [("Content-Type", "application/octet-stream")]
        if let encoding { headers.append(("Content-Encoding", encoding)) }
        return WebRequest(.put, address, headers: headers, body: body)
    }

    func remove(_ object: ObjectName) async throws {
        _ = try await transfer.send(WebRequest(.delete, address(object)), accepting: [404])
    }

    func contents() async throws -> [ObjectName]? { nil }
}

// MARK: - What the server can do

extension RemoteCacheStorage {
    private static let probe = Array("retort-tier/probe\n".utf8)
    private static let refusals: Set<Int> = [400, 403, 404, 405, 406, 409, 415, 422]

    /// Sends one small blob compressed, and looks what has become of it.
    private func encoding() async throws -> ContentEncoding {
        try await server.encoding {
            let address = self.base.appending("cas", Digest(of: Self.probe).hex)
            let frames = WebRequest.Body.bytes(Zstandard.compress(Self.probe))
            let answer = try await self.transfer.send(
                self.put(frames, at: address, encoding: "zstd"), accepting: [400, 406, 415, 422])
            guard answer.isSuccess else { return .plain }
            let kept = try await self.transfer.send(WebRequest(.get, address), accepting: [404])
            if kept.body == Self.probe { return .zstd }
            // What lies under /cas has the digest of its name.
            _ = try await self.transfer.send(self.put(.bytes(Self.probe), at: address, encoding: nil))
            return .unchecked
        }
    }

    /// Decides where blobs lie in a tier that nobody has written to yet.
    private func chooseLayout() async throws -> RemoteCacheLayout {
        guard case .unchecked = try await encoding() else { return .content }
        let address = base.appending(RemoteCacheLayout.frames.rawValue, Digest(of: Self.probe).hex)
        let frames = Zstandard.compress(Self.probe)
        let answer = try await transfer.send(
            put(.bytes(frames), at: address, encoding: nil), accepting: Self.refusals)
        guard answer.isSuccess else { return .content }
        let kept = try await transfer.send(WebRequest(.get, address), accepting: Self.refusals)
        if kept.isSuccess, kept.body == frames { server.layout = .frames }
        return server.layout
    }
}
