/// How long a request may take, in each of its phases.
public struct TimeLimits: Sendable, Equatable {
    /// To reach the server, TLS included.
    public var connect: Duration
    /// From the end of the request to the first byte of the answer.
    public var firstByte: Duration
    /// Between two pieces of the request or the answer.
    public var idle: Duration
    /// Everything together; nil for as long as it moves.
    public var total: Duration?

    public init(
        connect: Duration = .seconds(10), firstByte: Duration = .seconds(60), idle: Duration = .seconds(30),
        total: Duration? = nil
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
    }
}

/// Watches one request against its limits: a pure value that is told what happens and when.
struct Watchdog: Sendable, Equatable {
    enum Expiry: Sendable, Equatable { case connectOrSend, firstByte, idle, total }

    private enum Phase: Sendable, Equatable {
        /// Connecting, or sending the body.
        case sending
        case awaitingHead
        case receiving
    }

    private let limits: TimeLimits
    private let start: ContinuousClock.Instant
    private var phase: Phase
    private var lastProgress: ContinuousClock.Instant

    /// - Parameter hasStreamedBody: whether ``sent(at:)`` will be called, piece by piece.
    init(_ limits: TimeLimits, hasStreamedBody: Bool, start: ContinuousClock.Instant) {
        self.limits = limits
        self.start = start
        phase = hasStreamedBody ? .sending : .awaitingHead
        lastProgress = start
    }

    mutating func sent(at time: ContinuousClock.Instant, isLast: Bool) {
        lastProgress = time
        if isLast, phase == .sending { phase = .awaitingHead }
    }

    mutating func received(at time: ContinuousClock.Instant) {
        lastProgress = time
        phase = .receiving
    }

    /// The limit that is over by then, if one is.
    func expiry(at time: ContinuousClock.Instant) -> Expiry? {
        if let total = limits.total, time >= start + total { return .total }
        guard time >= nextPhaseDeadline else { return nil }
        return switch phase {
        case .sending: .connectOrSend
        case .awaitingHead: .firstByte
        case .receiving: .idle
        }
    }

    /// When to look again.
    var deadline: ContinuousClock.Instant {
        guard let total = limits.total else { return nextPhaseDeadline }
        return min(start + total, nextPhaseDeadline)
    }

    private var nextPhaseDeadline: ContinuousClock.Instant {
        switch phase {
        case .sending: lastProgress + limits.connect + limits.idle
        case .awaitingHead: lastProgress + limits.connect + limits.firstByte
        case .receiving: lastProgress + limits.idle
        }
    }
}
