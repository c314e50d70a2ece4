/// How often a request is tried, and how long to wait between two attempts.
///
/// The wait after attempt *n* is drawn uniformly from 0 to min(`longestDelay`, `firstDelay` · 2ⁿ⁻¹): exponential backoff
/// with full jitter, which spreads clients that failed together. A server that names a time (`Retry-After`) is believed:
/// the wait is never shorter than that.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts in all, the first one included; at least 1.
    public let attempts: Int
    /// The longest wait after the first attempt.
    public let firstDelay: Duration
    /// The longest wait of our own choosing; `Retry-After` may exceed it.
    public let longestDelay: Duration

    public init(attempts: Int = 5, firstDelay: Duration = .milliseconds(500), longestDelay: Duration = .seconds(30)) {
        precondition(attempts >= 1)
        self.attempts = attempts
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
    }

    /// The wait before the next attempt, or nil when there is none.
    ///
    /// - Parameters:
    ///   - attempt: how many attempts have failed, from 1.
    ///   - retryAfter: what the server asked for.
    ///   - draw: a number in 0 ..< 1 from the caller's random generator.
    public func delay(after attempt: Int, retryAfter: Duration? = nil, draw: Double) -> Duration? {
        guard attempt < attempts else { return nil }
        let ceiling = min(longestDelay, firstDelay * (1 << min(attempt - 1, 30)))
        return max(ceiling * draw, retryAfter ?? .zero)
    }
}
