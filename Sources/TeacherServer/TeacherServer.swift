import CanonicalJSON
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Teachers

/// Serves the synthetic teacher over HTTP on the loopback interface, for tests and for trying things out.
public final class TeacherServer: Sendable {
    private let channel: any Channel
    private let teacher: ServedTeacher
    private let connections = ConnectionCount()

    /// Starts to listen on 127.0.0.1.
    ///
    /// - Throws: an error of NIO when the port is taken.
    public init(_ settings: ServerSettings) async throws {
        let start = ContinuousClock.now
        let teacher = ServedTeacher(settings) { ContinuousClock.now - start }
        self.teacher = teacher
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [connections] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(ConnectionHandler(teacher, connections))
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .bind(host: "127.0.0.1", port: settings.port).get()
    }

    /// Chat requests that came so far, whatever became of them.
    public var requests: Int { teacher.requests }

    /// The most chat requests that were in flight at once.
    public var greatestInFlight: Int { teacher.greatestInFlight }

    /// Connections that stand now. When a client's are gone, all its requests have been counted.
    public var openConnections: Int { connections.open.withLock { $0 } }

    /// Batches that were created so far.
    public var batches: Int { teacher.batches.created }

    /// Questions that batches have answered so far.
    public var batchAnswers: Int { teacher.batches.answered }

    /// The metadata with which a batch was created.
    ///
    /// - Parameter number: from 1, in the order of creation.
    public func metadata(ofBatch number: Int) -> JSON? { teacher.batches.metadata(ofBatch: number) }

    public var port: Int { channel.localAddress?.port ?? 0 }

    /// The base URL for pipeline files.
    public var url: String { "http://127.0.0.1:\(port)/v1" }

    /// Stops to listen.
    public func close() async throws { try await channel.close().get() }
}

private final class ConnectionCount: Sendable {
    let open = Mutex(0)
}

/// One connection: reads a request, answers it, reads the next.
private final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The largest body that is read.
    private static let limit = 256 << 20

    private let teacher: ServedTeacher
    private let connections: ConnectionCount
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(_ teacher: ServedTeacher, _ connections: ConnectionCount) {
        self.teacher = teacher
        self.connections = connections
    }

    func channelActive(context: ChannelHandlerContext) {
        connections.open.withLock { $0 += 1 }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connections.open.withLock { $0 -= 1 }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= Self.limit else { return context.close(promise: nil) }
            body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            self.head = nil
            let request = ServerRequest(
                method: head.method.rawValue, path: String(head.uri.prefix { $0 != "?" }),
                authorization: head.headers.first(name: "Authorization"),
                contentType: head.headers.first(name: "Content-Type"), body: Array(body.readableBytesView))
            let (response, isChat) = teacher.respond(to: request)
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let teacher = teacher
            context.eventLoop.scheduleTask(in: .milliseconds(Int64(response.delay))) {
                if isChat { teacher.finished() }
                let (handler, context) = bound.value
                handler.write(response, keepAlive: head.isKeepAlive, context)
            }
        }
    }

    private func write(_ response: ServerResponse, keepAlive: Bool, _ context: ChannelHandlerContext) {
        if case .nothing = response.delivery { return context.close(promise: nil) }
        var headers = HTTPHeaders([
            ("Content-Type", response.contentType), ("Content-Length", "\(response.body.count)"),
        ])
        for (name, value) in response.headers { headers.add(name: name, value: value) }
        if !keepAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if case .half = response.delivery {
            let half = ByteBuffer(bytes: response.body.prefix(response.body.count / 2))
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(half)))).whenComplete { _ in
                bound.value.close(promise: nil)
            }
            return
        }
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            if !keepAlive { bound.value.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
