import Synchronization
import Testing

@testable import Teachers

@Suite("The budget of an endpoint")
struct EndpointBudgetTests {
    private func admitted(_ admission: EndpointBudget.Admission) -> EndpointBudget.Ticket? {
        if case .now(let ticket) = admission { ticket } else { nil }
    }

    @Test("never lets more through than the concurrency")
    func boundsConcurrency() throws {
        var budget = EndpointBudget(.init(concurrency: 3))
        let tickets = (0..<3).compactMap { _ in admitted(budget.admit(tokens: 1, at: .zero)) }
        #expect(tickets.count == 3)
        #expect(budget.admit(tokens: 1, at: .zero) == .afterOneEnds)
        budget.end(tickets[0], .answered(tokens: nil), at: .zero)
        #expect(admitted(budget.admit(tokens: 1, at: .zero)) != nil)
    }

    @Test("never lets more requests through in any minute than allowed", arguments: [1.0, 7, 60, 600])
    func boundsRequests(perMinute: Double) throws {
        var budget = EndpointBudget(.init(concurrency: 1000, requestsPerMinute: perMinute))
        var now = Duration.zero
        var sent: [Duration] = []
        while sent.count < 1500 {
            switch budget.admit(tokens: 0, at: now) {
            case .now(let ticket):
                sent.append(now)
                budget.end(ticket, .answered(tokens: nil), at: now)
            case .at(let time): now = time
            case .afterOneEnds: Issue.record("nothing is in flight")
            }
        }
        for (index, time) in sent.enumerated() where index + Int(perMinute) < sent.count {
            #expect(sent[index + Int(perMinute)] - time >= .seconds(60) - .nanoseconds(1000))
        }
        #expect(sent.last! <= .seconds(1500 * 60 / perMinute), "no time is wasted")
    }

    @Test("counts the tokens that were used, not those that were reserved")
    func refundsTokens() throws {
        var budget = EndpointBudget(.init(concurrency: 10, tokensPerMinute: 6000))
        let first = try #require(admitted(budget.admit(tokens: 2000, at: .zero)))
        #expect(budget.admit(tokens: 1, at: .zero) == .at(.seconds(20)))
        budget.end(first, .answered(tokens: 100), at: .seconds(1))
        #expect(admitted(budget.admit(tokens: 1, at: .seconds(1))) != nil)
    }

    @Test("halves what is in flight once for a burst of refusals, and grows again with successes")
    func backsOff() throws {
        var budget = EndpointBudget(.init(concurrency: 16))
        let burst = (0..<16).compactMap { _ in admitted(budget.admit(tokens: 0, at: .zero)) }
        for ticket in burst { budget.end(ticket, .overloaded(retryAfter: nil), at: .seconds(1)) }
        #expect(budget.window == 8)
        let later = try #require(admitted(budget.admit(tokens: 0, at: .seconds(2))))
        budget.end(later, .overloaded(retryAfter: nil), at: .seconds(3))
        #expect(budget.window == 4)
        for _ in 0..<200 {
            let ticket = try #require(admitted(budget.admit(tokens: 0, at: .seconds(4))))
            budget.end(ticket, .answered(tokens: nil), at: .seconds(4))
        }
        #expect(budget.window == 16)
    }

    @Test("keeps one request in flight however often it is refused")
    func neverStops() throws {
        var budget = EndpointBudget(.init(concurrency: 4))
        for step in 0..<20 {
            let ticket = try #require(admitted(budget.admit(tokens: 0, at: .seconds(step))))
            budget.end(ticket, .overloaded(retryAfter: nil), at: .seconds(step))
        }
        #expect(budget.window == 1)
    }

    @Test("makes all wait for what one was told with Retry-After")
    func honoursRetryAfter() throws {
        var budget = EndpointBudget(.init(concurrency: 4))
        let ticket = try #require(admitted(budget.admit(tokens: 0, at: .seconds(10))))
        budget.end(ticket, .overloaded(retryAfter: .seconds(7)), at: .seconds(11))
        #expect(budget.admit(tokens: 0, at: .seconds(12)) == .at(.seconds(18)))
    }

    @Test("learns the limits from headers, and only ever stricter ones")
    func learns() throws {
        var budget = EndpointBudget(.init(concurrency: 9, requestsPerMinute: 100))
        func send(_ headers: RateLimitHeaders, at now: Duration) throws {
            let ticket = try #require(admitted(budget.admit(tokens: 0, at: now)))
            budget.end(ticket, .answered(tokens: nil), headers: headers, at: now)
        }
        try send(RateLimitHeaders(requests: .init(limit: 1000)), at: .zero)
        #expect(budget.admit(tokens: 0, at: .zero) == .at(.milliseconds(600)))
        try send(RateLimitHeaders(requests: .init(limit: 10)), at: .seconds(1))
        try send(RateLimitHeaders(), at: .seconds(20))
        #expect(budget.admit(tokens: 0, at: .seconds(20)) == .at(.seconds(26)))
        try send(RateLimitHeaders(tokens: .init(remaining: 0, reset: .seconds(40))), at: .seconds(30))
        #expect(budget.admit(tokens: 0, at: .seconds(50)) == .at(.seconds(70)))
    }

    @Test("shares the stricter limits of two stages")
    func restricts() throws {
        var budget = EndpointBudget(.init(concurrency: 9))
        budget.restrict(to: .init(concurrency: 2, requestsPerMinute: 60))
        budget.restrict(to: .init(concurrency: 5, requestsPerMinute: 600))
        #expect(budget.limits == .init(concurrency: 2, requestsPerMinute: 60))
        #expect(budget.window == 2)
    }

    @Test(
        "reads the durations of headers, and nothing else",
        arguments: [
            ("1s", 1.0), ("6m0s", 360), ("20ms", 0.02), ("1h30m1.5s", 5401.5), ("12", 12), ("", nil), ("x", nil),
            ("1y", nil), ("-1s", nil), ("1e9s", nil), ("9999999h", nil),
        ] as [(String, Double?)])
    func readsDurations(text: String, seconds: Double?) {
        #expect(RateLimitHeaders.duration(text) == seconds.map { Duration.seconds($0) })
    }
}

/// A clock that goes when it is told to.
private final class ManualClock: Sendable {
    private struct State {
        var now = Duration.zero
        var sleepers: [(until: Duration, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var clock: EndpointGate.Clock {
        EndpointGate.Clock(
            now: { self.state.withLock(\.now) },
            sleep: { duration in
                await withCheckedContinuation { continuation in
                    self.state.withLock { $0.sleepers.append(($0.now + duration, continuation)) }
                }
            })
    }

    /// When the first sleeper wakes up; waits until there is one.
    func firstAlarm() async -> Duration {
        while true {
            if let first = state.withLock({ $0.sleepers.map(\.until).min() }) { return first }
            await Task.yield()
        }
    }

    func advance(to time: Duration) {
        let woken = state.withLock { state in
            state.now = time
            defer { state.sleepers.removeAll { $0.until <= time } }
            return state.sleepers.filter { $0.until <= time }
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }
}

@Suite("The gate of an endpoint")
struct EndpointGateTests {
    @Test("lets requests through as time allows")
    func paces() async throws {
        let clock = ManualClock()
        let gate = EndpointGate(.init(concurrency: 4, requestsPerMinute: 6), clock: clock.clock)
        gate.leave(try await gate.enter(tokens: 0), .answered(tokens: nil))
        let second = Task { try await gate.enter(tokens: 0) }
        #expect(await clock.firstAlarm() == .seconds(10))
        clock.advance(to: .seconds(10))
        gate.leave(try await second.value, .answered(tokens: nil))
    }

    @Test("gives a place back to who waits for it")
    func handsOver() async throws {
        let gate = EndpointGate(.init(concurrency: 1), clock: ManualClock().clock)
        let ticket = try await gate.enter(tokens: 0)
        let waiting = (0..<50).map { _ in
            Task { gate.leave(try await gate.enter(tokens: 0), .answered(tokens: nil)) }
        }
        gate.leave(ticket, .answered(tokens: nil))
        for task in waiting { try await task.value }
    }

    @Test("serves the line that was opened first, and within a line who came first")
    func servesLines() async throws {
        let gate = EndpointGate(.init(concurrency: 1), clock: ManualClock().clock)
        let (first, second) = (gate.openLine(), gate.openLine())
        let ticket = try await gate.enter(tokens: 0)
        let (served, serve) = AsyncStream.makeStream(of: Int.self)
        // Each stands in its line before the next comes.
        var standing = 0
        for (name, line) in [(20, second), (10, first), (21, second), (11, first)] {
            Task {
                let ticket = try await gate.enter(tokens: 0, line: line)
                serve.yield(name)
                gate.leave(ticket, .answered(tokens: nil))
            }
            standing += 1
            while gate.waiting < standing { await Task.yield() }
        }
        gate.leave(ticket, .answered(tokens: nil))
        var order: [Int] = []
        for await name in served {
            order.append(name)
            if order.count == 4 { break }
        }
        #expect(order == [10, 11, 20, 21])
        #expect(gate.waiting == 0)
    }

    @Test("lets nobody wait who is cancelled, and loses no place by it")
    func cancels() async throws {
        let gate = EndpointGate(.init(concurrency: 1), clock: ManualClock().clock)
        let ticket = try await gate.enter(tokens: 0)
        let cancelled = Task { try await gate.enter(tokens: 0) }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        gate.leave(ticket, .failed)
        gate.leave(try await gate.enter(tokens: 0), .failed)
    }
}

@Suite("The limit on spending")
struct SpendingLimitTests {
    @Test("stops before one call too many")
    func boundsCalls() async throws {
        let limit = SpendingLimit(maxCalls: 3)
        for _ in 0..<3 {
            try await limit.reserve(cost: nil)
            limit.settle(reserved: nil, cost: 0)
        }
        let error = await #expect(throws: TeacherError.self) { try await limit.reserve(cost: nil) }
        #expect(
            error?.description
                == "stopped before a call more than --max-calls 3 (3 were made); what was answered is kept")
        #expect(limit.spent.calls == 3)
    }

    @Test("stops before the cost could be exceeded, counting the worst case")
    func boundsCost() async throws {
        let limit = SpendingLimit(maxCost: 1)
        try await limit.reserve(cost: 0.6)
        limit.settle(reserved: 0.6, cost: 0.5)
        let error = await #expect(throws: TeacherError.self) { try await limit.reserve(cost: 0.6) }
        #expect(
            error?.description
                == "stopped before --max-cost $1.0000 could be exceeded: $0.5000 were spent, and the next call can cost"
                + " $0.6000; what was answered is kept")
        try await limit.reserve(cost: 0.5)
    }

    @Test("waits for calls under way, which may cost less than they could")
    func waits() async throws {
        let limit = SpendingLimit(maxCost: 1)
        try await limit.reserve(cost: 0.9)
        let second = Task { try await limit.reserve(cost: 0.9) }
        limit.settle(reserved: 0.9, cost: 0.05)
        try await second.value
        limit.settle(reserved: 0.9, cost: 0.05)
        #expect(limit.spent == .init(calls: 2, cost: 0.1))
    }

    @Test("wants prices before it promises anything")
    func wantsPrices() async throws {
        let error = await #expect(throws: TeacherError.self) { try await SpendingLimit(maxCost: 1).reserve(cost: nil) }
        #expect(error?.description.contains("give the teacher prices") == true)
        #expect(error?.stopsStage == true)
    }
}
