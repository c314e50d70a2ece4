import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Sends requests, one attempt each, within time limits and size limits. It follows no redirect.
///
/// Nothing is opened before the first request.
public final class WebClient: Sendable {
    public struct Settings: Sendable {
        public var limits: TimeLimits
        /// How many connections to one server are open at once.
        public var connections: Int
        /// A PEM file with certificate authorities to trust beside the system's.
        public var certificateAuthorities: String?

        public init(limits: TimeLimits = TimeLimits(), connections: Int = 16, certificateAuthorities: String? = nil) {
            self.limits = limits
            self.connections = connections
            self.certificateAuthorities = certificateAuthorities
        }
    }

    public let settings: Settings
    private let client = Mutex<HTTPClient?>(nil)
    private let watch = RequestWatch()

    public init(_ settings: Settings = Settings()) { self.settings = settings }

    deinit {
        // Idle connections close in the background; nobody waits for them.
        client.withLock { $0 }?.shutdown { _ in }
    }

    /// Sends a request and gathers the answer, whatever its status.
    ///
    /// - Parameter limit: how many bytes the body may have.
    /// - Throws: ``WebFailure``, or `CancellationError`.
    public func send(_ request: WebRequest, limit: Int) async throws -> WebResponse {
        try await watching(request) { client, watched in
            let response = try await client.execute(try Self.request(request, watched), deadline: .distantFuture)
            watched.received()
            let body = try await Self.body(of: response, request, limit: limit, watched)
            return Self.response(response, body: body)
        }
    }

    /// Sends a request and hands a successful answer's body to `sink` piece by piece.
    ///
    /// - Parameters:
    ///   - limit: how many bytes the body may have; more are never handed over.
    ///   - sink: called on one thread at a time; its errors end the request.
    /// - Returns: The answer without its body; for a status outside 2xx with the first 64 KiB of it.
    /// - Throws: ``WebFailure``, `CancellationError`, or what `sink` throws.
    public func download(
        _ request: WebRequest, limit: Int, to sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws -> WebResponse {
        try await watching(request) { client, watched in
            let response = try await client.execute(try Self.request(request, watched), deadline: .distantFuture)
            watched.received()
            guard (200..<300).contains(Int(response.status.code)) else {
                return Self.response(response, body: try await Self.beginning(of: response, watched))
            }
            try Self.checkLength(response, request, limit)
            var total = 0
            for try await buffer in response.body {
                watched.received()
                total += buffer.readableBytes
                guard total <= limit else { throw Self.tooLarge(request, limit) }
                try buffer.withUnsafeReadableBytes(sink)
            }
            try Task.checkCancellation()
            return Self.response(response, body: [])
        }
    }
}

// MARK: - One attempt

extension WebClient {
    /// Smaller files are sent from memory, in one piece.
    private static let largestBuffer = 1 << 20

    private func watching(
        _ request: WebRequest, _ body: @escaping @Sendable (HTTPClient, WatchedRequest) async throws -> WebResponse
    ) async throws -> WebResponse {
        let client = try ready(for: request)
        var hasStreamedBody = false
        if case .file(_, _, let count) = request.body { hasStreamedBody = count > Self.largestBuffer }
        let watched = WatchedRequest(settings.limits, hasStreamedBody: hasStreamedBody)
        let task = Task(executorPreference: NetworkExecutor.shared) { try await body(client, watched) }
        watched.onExpiry { task.cancel() }
        watch.add(watched, on: client.eventLoopGroup)
        defer { watch.remove(watched) }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            if Task.isCancelled, watched.expired == nil { throw CancellationError() }
            throw request.failure(from: error, expired: watched.expired, limits: settings.limits)
        }
    }

    /// The client, made with the first request.
    private func ready(for request: WebRequest) throws -> HTTPClient {
        try client.withLock { client in
            if let client { return client }
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            configuration.httpVersion = .http1Only
            configuration.decompression = .disabled
            configuration.timeout.connect = TimeAmount(settings.limits.connect)
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.connections
            // Attempts are counted where the retry policy is.
            configuration.connectionPool.retryConnectionEstablishment = false
            configuration.tlsConfiguration = try tls(for: request)
            let made = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
            client = made
            return made
        }
    }

    private func tls(for request: WebRequest) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        guard let file = settings.certificateAuthorities else { return configuration }
        do {
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(file))]
        } catch {
            throw request.failure(
                .tls, "the certificate authorities in \(file) cannot be read",
                "give a PEM file with one or more certificates")
        }
        return configuration
    }

    private static func request(_ request: WebRequest, _ watched: WatchedRequest) throws -> HTTPClientRequest {
        var made = HTTPClientRequest(url: request.address.url)
        made.method = HTTPMethod(rawValue: request.method.rawValue)
        for (name, value) in request.headers { made.headers.add(name: name, value: value) }
        switch request.body {
        case .none: break
        case .bytes(let bytes): made.body = .bytes(ByteBuffer(bytes: bytes))
        case .file(let path, let offset, let count) where count <= largestBuffer:
            let buffer = try FileChunks.buffer(path: path, offset: offset, count: count)
            made.body = .bytes(buffer)
        case .file(let path, let offset, let count):
            let chunks = FileChunks(path: path, offset: offset, count: count) { watched.sent(isLast: $0) }
            made.body = .stream(chunks, length: .known(Int64(count)))
        }
        return made
    }

    private static func response(_ response: HTTPClientResponse, body: [UInt8]) -> WebResponse {
        WebResponse(
            status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) }, body: body)
    }

    private static func body(
        of response: HTTPClientResponse, _ request: WebRequest, limit: Int, _ watched: WatchedRequest
    ) async throws -> [UInt8] {
        if request.method != .head { try checkLength(response, request, limit) }
        var bytes: [UInt8] = []
        for try await buffer in response.body {
            watched.received()
            guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge(request, limit) }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        try Task.checkCancellation()
        return bytes
    }

    /// As much of an error's body as helps to understand it. The rest is not waited for.
    private static func beginning(
        of response: HTTPClientResponse, _ watched: WatchedRequest
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await buffer in response.body {
            watched.received()
            bytes.append(contentsOf: buffer.readableBytesView.prefix(64 << 10 - bytes.count))
            if bytes.count == 64 << 10 { break }
        }
        return bytes
    }

    private static func checkLength(_ response: HTTPClientResponse, _ request: WebRequest, _ limit: Int) throws {
        guard let text = response.headers.first(name: "Content-Length"), let length = Int(text), length > limit else {
            return
        }
        throw tooLarge(request, limit)
    }

    private static func tooLarge(_ request: WebRequest, _ limit: Int) -> WebFailure {
        request.failure(
            .tooLarge, "the answer has more than the \(limit) bytes that were expected",
            "check that the URL names the right server")
    }
}
