/// Which exchange goes over which of a server's connections: a pure state machine.
///
/// A connection carries one exchange at a time and is kept open for the next. Connections are opened only for exchanges
/// that wait, never more than `limit`, and the one used last is used next, so that those not needed grow old and close.
struct Traffic<Connection: Equatable, Exchange: Equatable> {
    enum Action {
        case nothing
        case connect
        case send(Exchange, over: Connection)
    }

    let limit: Int
    /// In the order in which they became idle.
    private(set) var idle: [Connection] = []
    private(set) var waiting: [Exchange] = []
    /// Attempts to connect that are under way.
    private(set) var connecting = 0
    private(set) var busy = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) {
        precondition(limit >= 1)
        self.limit = limit
    }

    var isEmpty: Bool { idle.isEmpty && waiting.isEmpty && connecting == 0 && busy == 0 }

    mutating func add(_ exchange: Exchange) -> Action {
        if let connection = idle.popLast() {
            busy += 1
            return .send(exchange, over: connection)
        }
        waiting.append(exchange)
        return connectIfNeeded()
    }

    mutating func connected(_ connection: Connection) -> Action {
        connecting -= 1
        return use(connection)
    }

    /// An attempt to connect failed: the exchange that has waited longest fails with it.
    mutating func connectFailed() -> (failed: Exchange?, next: Action) {
        connecting -= 1
        let failed = waiting.isEmpty ? nil : waiting.removeFirst()
        return (failed, connectIfNeeded())
    }

    /// The exchange over `connection` has ended, and the connection can carry another one.
    mutating func finished(_ connection: Connection) -> Action {
        busy -= 1
        return use(connection)
    }

    /// A connection has closed, idle or in the middle of an exchange.
    mutating func closed(_ connection: Connection) -> Action {
        if let place = idle.firstIndex(of: connection) {
            idle.remove(at: place)
        } else {
            busy -= 1
        }
        return connectIfNeeded()
    }

    /// Nobody wants this exchange any more. Returns whether it was still waiting.
    mutating func withdraw(_ exchange: Exchange) -> Bool {
        guard let place = waiting.firstIndex(of: exchange) else { return false }
        waiting.remove(at: place)
        return true
    }

    private mutating func use(_ connection: Connection) -> Action {
        guard !waiting.isEmpty else {
            idle.append(connection)
            return .nothing
        }
        busy += 1
        return .send(waiting.removeFirst(), over: connection)
    }

    private mutating func connectIfNeeded() -> Action {
        guard connecting < waiting.count, connecting + busy + idle.count < limit else { return .nothing }
        connecting += 1
        return .connect
    }
}
