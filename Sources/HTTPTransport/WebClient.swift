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
    private let state = Mutex(State())
    private let watch = RequestWatch()

    private struct State {
        /// For answers of any length.
        var client: HTTPClient?
        /// For answers that fit in memory.
        var plainPool: ConnectionPool?
        var securePool: ConnectionPool?
    }

    public init(_ settings: Settings = Settings()) { self.settings = settings }

    deinit {
        // Idle connections close in the background; nobody waits for them.
        state.withLock { state in
            state.client?.shutdown { _ in }
            state.plainPool?.shutDown()
            state.securePool?.shutDown()
        }
    }

    /// Sends a request and gathers the answer, whatever its status.
    ///
    /// - Parameter limit: how many bytes the body may have.
    /// - Throws: ``WebFailure``, or `CancellationError`.
    public func send(_ request: WebRequest, limit: Int) async throws -> WebResponse {
        try await exchange(request, .all(limit)).response(withBody: true)
    }

    /// Sends a request and hands a successful answer's body to `sink` piece by piece.
    ///
    /// - Precondition: The request's own body is no file.
    /// - Parameters:
    ///   - limit: how many bytes the body may have; more are never handed over.
    ///   - sink: called on one thread at a time; its errors end the request.
    /// - Returns: The answer without its body; for a status outside 2xx with the first 64 KiB of it.
    /// - Throws: ``WebFailure``, `CancellationError`, or what `sink` throws.
    public func download(
        _ request: WebRequest, limit: Int, to sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws -> WebResponse {
        if limit <= Self.largestBuffer {
            let answer = try await exchange(request, .successful(limit))
            guard answer.isSuccess else { return answer.response(withBody: true) }
            for piece in answer.pieces { try piece.withUnsafeReadableBytes(sink) }
            return answer.response(withBody: false)
        }
        return try await streaming(request) { client, watched in
            let response = try await client.execute(Self.request(request), deadline: .distantFuture)
            watched.received()
            guard (200..<300).contains(Int(response.status.code)) else {
                return Self.response(response, body: try await Self.beginning(of: response, watched))
            }
            try Self.checkLength(response, request, limit)
            var total = 0
            for try await buffer in response.body {
                watched.received()
                total += buffer.readableBytes
                guard total <= limit else { throw request.tooLarge(limit) }
                try buffer.withUnsafeReadableBytes(sink)
            }
            try Task.checkCancellation()
            return Self.response(response, body: [])
        }
    }
}

// MARK: - One attempt

extension WebClient {
    /// What is no larger is sent in one piece and received in memory.
    static let largestBuffer = 1 << 20

    /// How much of an error answer's body is kept.
    static let beginningBytes = 64 << 10

    /// An answer in memory, over connections of our own.
    private func exchange(_ request: WebRequest, _ bound: Exchange.Bound) async throws -> Exchange.Answer {
        do {
            let exchange = try Exchange(request, bound, settings.limits)
            return try await pool(for: request).perform(exchange)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw request.failure(from: error, expired: nil, limits: settings.limits)
        }
    }

    private func streaming(
        _ request: WebRequest, _ body: @escaping @Sendable (HTTPClient, WatchedRequest) async throws -> WebResponse
    ) async throws -> WebResponse {
        let client = try client(for: request)
        let watched = WatchedRequest(settings.limits)
        watch.add(watched, on: client.eventLoopGroup)
        defer { watch.remove(watched) }
        do {
            let task = Task(executorPreference: NetworkExecutor.shared) { try await body(client, watched) }
            watched.onEnd { task.cancel() }
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

    /// One loop serves many connections: on a small machine a second one would only take turns with the first.
    private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount / 4))

    /// What streams, made with the first request that does.
    private func client(for request: WebRequest) throws -> HTTPClient {
        try state.withLock { state in
            if let client = state.client { return client }
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            configuration.httpVersion = .http1Only
            configuration.decompression = .disabled
            configuration.timeout.connect = TimeAmount(settings.limits.connect)
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.connections
            // Attempts are counted where the retry policy is.
            configuration.connectionPool.retryConnectionEstablishment = false
            configuration.tlsConfiguration = try tls(for: request)
            let made = HTTPClient(eventLoopGroup: Self.loops, configuration: configuration)
            state.client = made
            return made
        }
    }

    /// What exchanges small messages, made with the first of them.
    private func pool(for request: WebRequest) throws -> ConnectionPool {
        try state.withLock { state in
            let isSecure = request.address.scheme == .https
            if let pool = isSecure ? state.securePool : state.plainPool { return pool }
            var context: NIOSSLContext?
            if isSecure {
                var configuration = try tls(for: request)
                configuration.applicationProtocols = ["http/1.1"]
                context = try NIOSSLContext(configuration: configuration)
            }
            let made = ConnectionPool(on: Self.loops.next(), settings, tls: context)
            if isSecure { state.securePool = made } else { state.plainPool = made }
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

    private static func request(_ request: WebRequest) -> HTTPClientRequest {
        var made = HTTPClientRequest(url: request.address.url)
        made.method = HTTPMethod(rawValue: request.method.rawValue)
        for (name, value) in request.headers { made.headers.add(name: name, value: value) }
        switch request.body {
        case .none: break
        case .bytes(let bytes): made.body = .bytes(ByteBuffer(bytes: bytes))
        case .file: preconditionFailure("a download sends no file")
        }
        return made
    }

    private static func response(_ response: HTTPClientResponse, body: [UInt8]) -> WebResponse {
        WebResponse(
            status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) }, body: body)
    }

    /// As much of an error's body as helps to understand it. The rest is not waited for.
    private static func beginning(
        of response: HTTPClientResponse, _ watched: WatchedRequest
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await buffer in response.body {
            watched.received()
            bytes.append(contentsOf: buffer.readableBytesView.prefix(beginningBytes - bytes.count))
            if bytes.count == beginningBytes { break }
        }
        return bytes
    }

    private static func checkLength(_ response: HTTPClientResponse, _ request: WebRequest, _ limit: Int) throws {
        guard let text = response.headers.first(name: "Content-Length"), let length = Int(text), length > limit else {
            return
        }
        throw request.tooLarge(limit)
    }
}

extension WebRequest {
    func tooLarge(_ limit: Int) -> WebFailure {
        failure(
            .tooLarge, "the answer has more than the \(limit) bytes that were expected",
            "check that the URL names the right server")
    }
}
