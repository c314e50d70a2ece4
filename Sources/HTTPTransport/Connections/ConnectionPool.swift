import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A client's connections for answers that are small enough to be held in memory, all on one event loop.
///
/// Such requests come by the ten thousand, each next to free for the server. A general client streams both bodies, and
/// pays for that with several changes of thread and dozens of allocations a request: more than a small blob itself
/// costs. Here a caller goes to the loop once and comes back once, and the request is one write. Large files go out as
/// the kernel's own pages, one piece at a time.
///
/// Sendable unchecked: all state is used on the loop alone.
final class ConnectionPool: @unchecked Sendable {
    struct Server: Hashable {
        let scheme: WebAddress.Scheme
        let host: String
        let port: Int
    }

    /// How long a connection may wait for its next exchange.
    private static let longestIdle = TimeAmount.seconds(60)
    /// How often limits are looked at, while anything is under way. One timer serves all exchanges: one for each of ten
    /// thousand small requests would cost more than the requests.
    private static let watchInterval = TimeAmount.milliseconds(50)

    private let loop: any EventLoop
    private let settings: WebClient.Settings
    private let tls: NIOSSLContext?
    private var servers: [Server: Traffic<Connection, Exchange>] = [:]
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var isWatching = false
    private var isSweeping = false
    private var isShutDown = false

    /// - Parameter tls: for a pool whose servers all speak https; nil for one whose servers all speak plain http.
    init(on loop: any EventLoop, _ settings: WebClient.Settings, tls: NIOSSLContext?) {
        self.loop = loop
        self.settings = settings
        self.tls = tls
    }

    /// Carries out an exchange.
    ///
    /// - Throws: ``WebFailure``, or errors of the libraries as they come.
    func perform(_ exchange: Exchange) async throws -> Exchange.Answer {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.execute {
                    guard exchange.start(continuation) else { return }
                    self.act(self.update(exchange.server) { $0.add(exchange) }, exchange.server)
                    self.watch()
                }
            }
        } onCancel: {
            loop.execute { self.end(exchange, CancellationError()) }
        }
    }

    /// Closes what is idle; exchanges under way go on.
    func shutDown() {
        loop.execute {
            self.isShutDown = true
            for connection in Array(self.connections.values) where connection.exchange == nil { connection.close() }
        }
    }

    // MARK: Connections

    func finished(_ connection: Connection) {
        connection.idleSince = .now()
        act(update(connection.server) { $0.finished(connection) }, connection.server)
        if connection.exchange == nil { settle(connection) }
    }

    func closed(_ connection: Connection) {
        // One that never was open has been counted as an attempt.
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        act(update(connection.server) { $0.closed(connection) }, connection.server)
    }

    private func update<Value>(_ server: Server, _ body: (inout Traffic<Connection, Exchange>) -> Value) -> Value {
        body(&servers[server, default: Traffic(limit: settings.connections)])
    }

    private func act(_ action: Traffic<Connection, Exchange>.Action, _ server: Server) {
        switch action {
        case .nothing: break
        case .connect: connect(to: server)
        case .send(let exchange, let connection): connection.send(exchange)
        }
    }

    private func connect(to server: Server) {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(settings.limits.connect))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel, for: server) }
            }
        bootstrap.connect(host: server.host, port: server.port).assumeIsolated().whenComplete { result in
            do {
                let channel = try result.get()
                let connection = try channel.pipeline.syncOperations.handler(type: Connection.self)
                self.secure(connection, channel)
            } catch {
                self.connectFailed(server, error)
            }
        }
    }

    private func prepare(_ channel: any Channel, for server: Server) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            let name = server.isNumeric ? nil : server.host
            try pipeline.addHandler(try NIOSSLClientHandler(context: tls, serverHostname: name))
        }
        try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
        try pipeline.addHandler(Connection(to: server, of: self))
    }

    /// Waits for the handshake, where there is one.
    private func secure(_ connection: Connection, _ channel: any Channel) {
        let patience = loop.assumeIsolated().scheduleTask(in: TimeAmount(settings.limits.connect)) {
            connection.opened(.failure(ChannelError.connectTimeout(TimeAmount(self.settings.limits.connect))))
        }
        connection.whenOpen { result in
            patience.cancel()
            switch result {
            case .success:
                self.connections[ObjectIdentifier(connection)] = connection
                self.act(self.update(connection.server) { $0.connected(connection) }, connection.server)
                if connection.exchange == nil { self.settle(connection) }
            case .failure(let error):
                connection.close()
                self.connectFailed(connection.server, error)
            }
        }
    }

    private func connectFailed(_ server: Server, _ error: any Error) {
        let (failed, next) = update(server) { $0.connectFailed() }
        failed?.end(.failure(error))
        act(next, server)
    }

    private func settle(_ connection: Connection) {
        if isShutDown { connection.close() } else { sweep() }
    }

    // MARK: Time

    /// Ends an exchange, wherever it is.
    private func end(_ exchange: Exchange, _ error: any Error) {
        guard !exchange.isOver else { return }
        if let connection = exchange.connection, connection.exchange == exchange {
            connection.fail(error)
        } else {
            _ = update(exchange.server) { $0.withdraw(exchange) }
            exchange.end(.failure(error))
        }
    }

    private func watch() {
        guard !isWatching else { return }
        isWatching = true
        loop.scheduleTask(in: Self.watchInterval) {
            self.isWatching = false
            let exchanges = self.servers.values.flatMap(\.waiting) + self.connections.values.compactMap(\.exchange)
            guard !exchanges.isEmpty else { return }
            let now = ContinuousClock.now
            for exchange in exchanges {
                guard let expiry = exchange.expiry(at: now) else { continue }
                self.end(exchange, exchange.request.timeout(expiry, self.settings.limits))
            }
            self.watch()
        }
    }

    /// Closes connections that have been idle for long, as long as there are any.
    private func sweep() {
        guard !isSweeping else { return }
        isSweeping = true
        loop.scheduleTask(in: Self.longestIdle) { [weak self] in
            guard let self else { return }
            isSweeping = false
            let idle = connections.values.filter { $0.exchange == nil }
            let latest = NIODeadline.now() - Self.longestIdle
            for connection in idle where connection.idleSince <= latest { connection.close() }
            if idle.contains(where: { $0.idleSince > latest }) { sweep() }
        }
    }
}

extension Exchange {
    fileprivate var server: ConnectionPool.Server {
        ConnectionPool.Server(
            scheme: request.address.scheme, host: request.address.host, port: request.address.port)
    }
}

extension ConnectionPool.Server {
    /// Whether the host is an address, for which no name is asked of a certificate.
    fileprivate var isNumeric: Bool { (try? SocketAddress(ipAddress: host, port: port)) != nil }
}
