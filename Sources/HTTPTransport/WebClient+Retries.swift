import Synchronization

/// Requests that are tried again after transient failures.
extension WebClient {
    /// How retries wait and draw. The defaults sleep and use the system's random numbers; tests give their own.
    public struct Patience: Sendable {
        public var policy: RetryPolicy
        var sleep: @Sendable (Duration) async throws -> Void
        var draw: @Sendable () -> Double

        public init(_ policy: RetryPolicy = RetryPolicy()) {
            self.init(policy, sleep: { try await Task.sleep(for: $0) }, draw: { .random(in: 0..<1) })
        }

        public init(
            _ policy: RetryPolicy, sleep: @escaping @Sendable (Duration) async throws -> Void,
            draw: @escaping @Sendable () -> Double
        ) {
            self.policy = policy
            self.sleep = sleep
            self.draw = draw
        }
    }

    /// Sends a request until it is answered by something other than a transient failure, or the policy gives up.
    ///
    /// - Parameter accepting: statuses that are answers; 2xx unless given. All others are failures.
    /// - Throws: ``WebFailure`` of the last attempt, or `CancellationError`.
    public func send(
        _ request: WebRequest, limit: Int, patience: Patience,
        accepting: @Sendable (Int) -> Bool = { (200..<300).contains($0) }
    ) async throws -> WebResponse {
        try await Self.retrying(patience) {
            let response = try await self.send(request, limit: limit)
            guard accepting(response.status) else { throw Self.failure(of: response, to: request) }
            return response
        }
    }

    /// Repeats `attempt` while it throws transient failures.
    public static func retrying<Value: Sendable>(
        _ patience: Patience, _ attempt: () async throws -> Value
    ) async throws -> Value {
        var failed = 0
        while true {
            do {
                return try await attempt()
            } catch let failure as WebFailure where failure.isTransient {
                failed += 1
                guard
                    let delay = patience.policy.delay(
                        after: failed, retryAfter: failure.retryAfter, draw: patience.draw())
                else { throw failure }
                try await patience.sleep(delay)
            }
        }
    }

    /// The failure that an unwelcome answer is; a redirect is one of its own.
    public static func failure(of response: WebResponse, to request: WebRequest) -> WebFailure {
        guard (300..<400).contains(response.status), response.status != 304 else {
            return WebFailure(request, answered: response)
        }
        let target = response[header: "Location"].flatMap { try? WebAddress.parse($0).address.origin }
        return WebFailure(
            .redirected, request: request.label,
            problem: "the server redirects to \(target ?? "another place"), and redirects are not followed",
            remedy: "give the URL that it redirects to, if you trust it", body: response.body)
    }
}
