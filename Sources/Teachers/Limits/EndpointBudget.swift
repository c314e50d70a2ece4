/// How much may be asked of one endpoint now: a pure state machine over a clock that the caller brings.
///
/// Three bounds hold together: requests in flight, requests a minute, tokens a minute. The number in flight adapts: it
/// is halved when the server says that it is too much (429, overload), at most once for requests that were sent before
/// the last halving, and grows by one for each window of successes, up to what was configured (additive increase,
/// multiplicative decrease). What the server asks for with `Retry-After` is waited for by all. Every operation is O(1).
public struct EndpointBudget: Sendable {
    /// What the user allows; the server may allow less.
    public struct Limits: Sendable, Equatable {
        /// Requests in flight.
        public var concurrency: Int
        public var requestsPerMinute: Double?
        public var tokensPerMinute: Double?

        public init(concurrency: Int = 16, requestsPerMinute: Double? = nil, tokensPerMinute: Double? = nil) {
            self.concurrency = concurrency
            self.requestsPerMinute = requestsPerMinute
            self.tokensPerMinute = tokensPerMinute
        }

        /// The stricter of both in every respect.
        func stricter(_ other: Limits) -> Limits {
            func least(_ a: Double?, _ b: Double?) -> Double? { [a, b].compactMap(\.self).min() }
            return Limits(
                concurrency: min(concurrency, other.concurrency),
                requestsPerMinute: least(requestsPerMinute, other.requestsPerMinute),
                tokensPerMinute: least(tokensPerMinute, other.tokensPerMinute))
        }
    }

    /// A request in flight.
    public struct Ticket: Sendable, Equatable {
        /// Tokens that were reserved for it.
        let tokens: Int
        let sent: Duration
    }

    public enum Admission: Sendable, Equatable {
        case now(Ticket)
        /// Ask again then, not before.
        case at(Duration)
        /// Ask again when a request in flight has ended.
        case afterOneEnds
    }

    /// How a request ended.
    public enum Outcome: Sendable, Equatable {
        /// Answered; `tokens` is nil when the server did not count.
        case answered(tokens: Int?)
        /// Turned away for being too much, with the wait that the server asked for.
        case overloaded(retryAfter: Duration?)
        /// Failed for a reason that says nothing about the load.
        case failed
    }

    /// The longest pause that a server can impose by a header about its limits.
    static let longestPause = Duration.seconds(600)

    public private(set) var limits: Limits
    /// Requests in flight.
    public private(set) var inFlight = 0
    /// The adapted bound on ``inFlight``.
    public private(set) var window: Double
    private var requests: Pace?
    private var tokens: Pace?
    private var pausedUntil: Duration = .zero
    private var lastDecrease: Duration?

    public init(_ limits: Limits) {
        self.limits = limits
        window = Double(limits.concurrency)
        requests = limits.requestsPerMinute.map { Pace(perMinute: $0) }
        tokens = limits.tokensPerMinute.map { Pace(perMinute: $0) }
    }

    /// Another stage asks the same endpoint: what it allows holds too.
    public mutating func restrict(to other: Limits) {
        limits = limits.stricter(other)
        window = min(window, Double(limits.concurrency))
        slow(&requests, to: limits.requestsPerMinute)
        slow(&tokens, to: limits.tokensPerMinute)
    }

    /// Whether a request with this many tokens, at most, may be sent now.
    public mutating func admit(tokens count: Int, at now: Duration) -> Admission {
        guard inFlight < max(1, Int(window)) else { return .afterOneEnds }
        let ready = max(pausedUntil, requests?.next ?? .zero, tokens?.next ?? .zero)
        guard ready <= now else { return .at(ready) }
        inFlight += 1
        requests?.take(1, at: now)
        tokens?.take(Double(count), at: now)
        return .now(Ticket(tokens: count, sent: now))
    }

    /// Takes note of how a request ended.
    public mutating func end(_ ticket: Ticket, _ outcome: Outcome, headers: RateLimitHeaders? = nil, at now: Duration) {
        inFlight -= 1
        switch outcome {
        case .answered(let used):
            window = min(Double(limits.concurrency), window + 1 / max(window, 1))
            if let used { tokens?.giveBack(Double(ticket.tokens - used)) }
        case .overloaded(let retryAfter):
            if lastDecrease.map({ ticket.sent >= $0 }) ?? true {
                window = max(1, window / 2)
                lastDecrease = now
            }
            tokens?.giveBack(Double(ticket.tokens))
            if let retryAfter { pausedUntil = max(pausedUntil, now + retryAfter) }
        case .failed: break
        }
        if let headers { learn(headers, at: now) }
    }

    private mutating func learn(_ headers: RateLimitHeaders, at now: Duration) {
        slow(&requests, to: headers.requests.limit)
        slow(&tokens, to: headers.tokens.limit)
        for window in [headers.requests, headers.tokens] {
            guard let remaining = window.remaining, remaining < 1, let reset = window.reset else { continue }
            pausedUntil = max(pausedUntil, now + min(reset, Self.longestPause))
        }
    }

    private func slow(_ pace: inout Pace?, to perMinute: Double?) {
        guard let perMinute, perMinute > 0 else { return }
        if pace == nil { pace = Pace(perMinute: perMinute) } else { pace?.slow(to: perMinute) }
    }
}
