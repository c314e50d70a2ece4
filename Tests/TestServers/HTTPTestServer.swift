import Dispatch
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server of a test's own on 127.0.0.1: what it answers, and how badly, is a closure.
public final class HTTPTestServer: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// Path and query, as they came.
        public var target: String
        public var headers: [(name: String, value: String)]
        public var body: [UInt8]

        public subscript(header name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    public struct Reply: Sendable {
        public enum Delivery: Sendable {
            case whole
            /// Says the whole length, sends this many bytes, ends the connection.
            case cutOff(after: Int)
            /// Sends the body in this many pieces with a pause after each.
            case slow(pieces: Int, pause: Duration)
            /// Ends the connection without an answer.
            case none
            /// Never answers.
            case never
        }

        public var status: Int
        public var headers: [(name: String, value: String)]
        public var body: [UInt8]
        public var delivery: Delivery

        public init(
            _ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
            delivery: Delivery = .whole
        ) {
            self.status = status
            self.headers = headers
            self.body = body
            self.delivery = delivery
        }
    }

    public let port: Int
    private let channel: any Channel
    private let log = Mutex<[Request]>([])

    /// Starts to listen on a free port.
    public init(_ answer: @escaping @Sendable (Request) async -> Reply) throws {
        let relay = Relay()
        channel = try ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionHandler { request in
                            relay.server?.note(request)
                            return await answer(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress!.port!
        relay.set(self)
    }

    public var url: String { "http://127.0.0.1:\(port)" }

    /// Everything asked so far.
    public var requests: [Request] { log.withLock { $0 } }

    public func stop() { try? channel.close().wait() }

    deinit { channel.close(promise: nil) }

    private func note(_ request: Request) { log.withLock { $0.append(request) } }

    private final class Relay: Sendable {
        private struct Holder: Sendable { weak var server: HTTPTestServer? }
        private let holder = Mutex(Holder())
        var server: HTTPTestServer? { holder.withLock { $0.server } }
        func set(_ server: HTTPTestServer) { holder.withLock { $0.server = server } }
    }
}

/// Tests that compute keep the cooperative pool busy; a server has to answer all the same.
private final class ServerExecutor: TaskExecutor {
    static let shared = ServerExecutor()
    private let queue = DispatchQueue(label: "retort.test-server", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}

/// One connection. It is used on its event loop alone.
private final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: @Sendable (HTTPTestServer.Request) async -> HTTPTestServer.Reply
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ answer: @escaping @Sendable (HTTPTestServer.Request) async -> HTTPTestServer.Reply) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head else { return }
            let request = HTTPTestServer.Request(
                method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) },
                body: body)
            let channel = context.channel
            let answer = answer
            Task(executorPreference: ServerExecutor.shared) {
                try? await Delivery(await answer(request), to: request, on: channel).carryOut()
            }
        }
    }
}

/// Writes one reply to a connection.
private struct Delivery {
    let reply: HTTPTestServer.Reply
    let request: HTTPTestServer.Request
    let channel: any Channel

    init(_ reply: HTTPTestServer.Reply, to request: HTTPTestServer.Request, on channel: any Channel) {
        self.reply = reply
        self.request = request
        self.channel = channel
    }

    func carryOut() async throws {
        switch reply.delivery {
        case .whole:
            try await writeHead()
            if request.method != "HEAD" { try await write(reply.body) }
            try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        case .cutOff(let count):
            try await writeHead()
            try await write(Array(reply.body.prefix(count)))
            try await channel.close()
        case .slow(let pieces, let pause):
            try await writeHead()
            for piece in 0..<pieces {
                let (from, to) = (reply.body.count * piece / pieces, reply.body.count * (piece + 1) / pieces)
                try await write(Array(reply.body[from..<to]))
                try await Task.sleep(for: pause)
            }
            try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        case .none: try await channel.close()
        case .never: break
        }
    }

    private func writeHead() async throws {
        var headers = HTTPHeaders(reply.headers.map { ($0.name, $0.value) })
        if !headers.contains(name: "Content-Length") {
            headers.add(name: "Content-Length", value: "\(reply.body.count)")
        }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: reply.status), headers: headers)
        try await channel.writeAndFlush(HTTPServerResponsePart.head(head))
    }

    private func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))))
    }
}
