import NIOCore
import NIOPosix
import Synchronization

/// A server on 127.0.0.1 that answers each request with bytes that a test writes itself, and counts its connections.
///
/// A request is whatever ends with an empty line; bodies are none of its business.
public final class ByteServer: Sendable {
    public struct Reply: Sendable {
        var text: String
        var closes: Bool

        /// - Parameter closes: Ends the connection after it.
        public init(_ text: String, closes: Bool = false) {
            self.text = text
            self.closes = closes
        }
    }

    public let port: Int
    private let channel: any Channel
    private let counts = Mutex((connections: 0, requests: [String]()))

    /// - Parameters:
    ///   - takingBodies: Whether it reads on after a request's head; if not, what follows fills the buffers between.
    ///   - answer: Gets the number of the connection and of the request on it, both from 1.
    public init(
        takingBodies: Bool = true, _ answer: @escaping @Sendable (_ connection: Int, _ request: Int) -> Reply
    ) throws {
        let relay = Relay()
        channel = try ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = relay.server?.counts.withLock { counts in
                        counts.connections += 1
                        return counts.connections
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(takingBodies: takingBodies) { text, request in
                            relay.server?.counts.withLock { $0.requests.append(text) }
                            return answer(number ?? 0, request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress!.port!
        relay.set(self)
    }

    public var url: String { "http://127.0.0.1:\(port)" }

    /// Connections accepted so far.
    public var connections: Int { counts.withLock { $0.connections } }

    /// Heads of the requests that came, as they came.
    public var requests: [String] { counts.withLock { $0.requests } }

    deinit { channel.close(promise: nil) }

    private final class Relay: Sendable {
        private struct Holder: Sendable { weak var server: ByteServer? }
        private let holder = Mutex(Holder())
        var server: ByteServer? { holder.withLock { $0.server } }
        func set(_ server: ByteServer) { holder.withLock { $0.server = server } }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let takingBodies: Bool
        private let answer: (String, Int) -> Reply
        private var text = ""
        private var requests = 0

        init(takingBodies: Bool, _ answer: @escaping (String, Int) -> Reply) {
            self.takingBodies = takingBodies
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            let isWhole = takingBodies ? text.hasSuffix("\r\n\r\n") : text.contains("\r\n\r\n")
            guard isWhole else { return }
            requests += 1
            let reply = answer(text, requests)
            text = ""
            if !takingBodies { _ = context.channel.setOption(.autoRead, value: false) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply.text)), promise: nil)
            if reply.closes { context.close(promise: nil) }
        }
    }
}
