import NIOCore
import NIOHTTP1
import NIOPosix
import NIOTLS

/// One HTTP/1.1 connection and the exchange under way on it. Used on its event loop alone.
final class Connection: ChannelInboundHandler, Equatable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private enum Opening {
        case underWay((Result<Void, any Error>) -> Void)
        /// Before anybody waits for it, and after it has come to an end.
        case done(Result<Void, any Error>?)
    }

    let server: ConnectionPool.Server
    private let pool: ConnectionPool
    private var opening = Opening.done(nil)
    private var context: ChannelHandlerContext?
    private var isSending = false
    private var mayStayOpen = false
    private var upload: Upload?
    private(set) var exchange: Exchange?
    var idleSince = NIODeadline.now()

    init(to server: ConnectionPool.Server, of pool: ConnectionPool) {
        self.server = server
        self.pool = pool
    }

    static func == (left: Connection, right: Connection) -> Bool { left === right }

    /// Calls `body` once, when requests can be sent or it is known that they cannot.
    func whenOpen(_ body: @escaping (Result<Void, any Error>) -> Void) {
        if case .done(let result?) = opening { return body(result) }
        if server.scheme == .http {
            opening = .done(.success(()))
            return body(.success(()))
        }
        opening = .underWay(body)
    }

    /// Says how opening went; the first word counts.
    func opened(_ result: Result<Void, any Error>) {
        let opening = opening
        if case .done(_?) = opening { return }
        self.opening = .done(result)
        if case .underWay(let body) = opening { body(result) }
    }

    func send(_ exchange: Exchange) {
        self.exchange = exchange
        exchange.connection = self
        guard let context, context.channel.isActive else { return fail(exchange.request.lost) }
        do {
            if case .file(let path, let offset, let count) = exchange.body {
                upload = try Upload(path: path, offset: offset, count: count, pieceBytes: pieceBytes)
            }
        } catch {
            return fail(error)
        }
        // Written in one piece: an error that comes while this runs is the request's own.
        isSending = true
        context.write(wrapOutboundOut(.head(head(of: exchange.request))), promise: nil)
        if case .whole(let body) = exchange.body, body.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        if upload == nil { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        isSending = false
        if upload != nil { sendNextPiece() }
    }

    private func head(of request: WebRequest) -> HTTPRequestHead {
        var head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue), uri: request.address.target)
        for (name, value) in request.headers { head.headers.add(name: name, value: value) }
        if !head.headers.contains(name: "Host") { head.headers.add(name: "Host", value: request.address.authority) }
        let length = request.body.count
        if length > 0 || request.method == .put || request.method == .post {
            head.headers.add(name: "Content-Length", value: String(length))
        }
        return head
    }

    func close() { context?.close(promise: nil) }

    /// Ends the exchange and the connection with it: what else comes is nobody's.
    func fail(_ error: any Error) {
        let exchange = exchange
        self.exchange = nil
        exchange?.end(.failure(error))
        close()
    }

    // MARK: A file as the body

    /// The kernel sends a file's own pages where nothing has to be encrypted.
    private var pieceBytes: Int { server.scheme == .http ? 1 << 20 : 256 << 10 }

    private func sendNextPiece() {
        guard let context, let exchange, let upload else { return endUpload() }
        do {
            guard let piece = try upload.next() else {
                endUpload()
                exchange.sent(isLast: true)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                return
            }
            guard server.scheme == .https else { return write(.fileRegion(piece)) }
            let reader = NonBlockingFileIO(threadPool: .singleton)
            reader.read(fileRegion: piece, allocator: context.channel.allocator, eventLoop: context.eventLoop)
                .assumeIsolated()
                .whenComplete { result in
                    switch result {
                    case .success(let buffer): self.write(.byteBuffer(buffer))
                    case .failure(let error):
                        self.endUpload()
                        self.fail(error)
                    }
                }
        } catch {
            endUpload()
            fail(error)
        }
    }

    private func write(_ piece: IOData) {
        guard let context else { return endUpload() }
        let written = context.eventLoop.makePromise(of: Void.self)
        let loop = context.eventLoop.assumeIsolated()
        written.futureResult.assumeIsolated().whenComplete { result in
            guard case .success = result else { return self.endUpload() }
            self.exchange?.sent(isLast: false)
            // Not from here: a server that takes all at once would have one call inside the other.
            loop.execute { self.sendNextPiece() }
        }
        context.writeAndFlush(wrapOutboundOut(.body(piece)), promise: written)
    }

    /// A piece is always either under way or the reason to call this.
    private func endUpload() {
        upload?.close()
        upload = nil
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let exchange else { return }
        do {
            switch unwrapInboundIn(data) {
            case .head(let head):
                mayStayOpen = head.isKeepAlive
                try exchange.receive(head)
            case .body(let piece):
                guard try exchange.receive(piece) else { return }
                mayStayOpen = false
                finish(exchange)
            case .end: finish(exchange)
            }
        } catch {
            fail(error)
        }
    }

    private func finish(_ exchange: Exchange) {
        self.exchange = nil
        exchange.finish()
        let mayStayOpen = mayStayOpen && upload == nil
        if mayStayOpen, let context, context.channel.isActive { pool.finished(self) } else { close() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { opened(.success(())) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let error = isSending ? RequestNotSendable() : error
        opened(.failure(error))
        fail(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        opened(.failure(ChannelError.eof))
        if let exchange { fail(exchange.request.lost) }
        pool.closed(self)
    }
}

/// A request that no server may be sent, such as one with a line break in a header.
struct RequestNotSendable: Error {}
