import Testing

@testable import HTTPTransport

@Suite struct CircuitBreakerTests {
    @Test func itOpensOnceAfterFailuresInARowAndStaysOpen() {
        var breaker = CircuitBreaker(threshold: 2)
        #expect(breaker.failed() == .none)
        breaker.succeeded()
        #expect(breaker.failed() == .none)
        #expect(breaker.failed() == .opened)
        #expect(breaker.failed() == .none)
        breaker.succeeded()
        #expect(breaker.isOpen)
    }

    @Test func aFinalFailureOpensItAtOnce() {
        var breaker = CircuitBreaker(threshold: 9)
        #expect(breaker.open() == .opened)
        #expect(breaker.open() == .none)
        #expect(breaker.isOpen)
    }
}

@Suite struct WatchdogTests {
    private let start = ContinuousClock.now
    private let limits = TimeLimits(
        connect: .seconds(1), firstByte: .seconds(5), idle: .seconds(2), total: .seconds(20))

    @Test func eachPhaseHasItsOwnLimit() {
        var watchdog = Watchdog(limits, hasStreamedBody: true, start: start)
        #expect(watchdog.expiry(at: start + .seconds(2)) == nil)
        #expect(watchdog.expiry(at: start + .seconds(3)) == .connectOrSend)
        watchdog.sent(at: start + .seconds(2), isLast: false)
        #expect(watchdog.expiry(at: start + .seconds(4)) == nil)
        watchdog.sent(at: start + .seconds(4), isLast: true)
        #expect(watchdog.expiry(at: start + .seconds(9)) == nil)
        #expect(watchdog.expiry(at: start + .seconds(10)) == .firstByte)
        watchdog.received(at: start + .seconds(9))
        #expect(watchdog.expiry(at: start + .seconds(11)) == .idle)
    }

    @Test func whatMovesForeverEndsByTheTotal() {
        var watchdog = Watchdog(limits, hasStreamedBody: false, start: start)
        for second in 1...19 {
            watchdog.received(at: start + .seconds(second))
            #expect(watchdog.expiry(at: start + .seconds(second)) == nil)
        }
        watchdog.received(at: start + .seconds(20))
        #expect(watchdog.expiry(at: start + .seconds(20)) == .total)
    }
}
