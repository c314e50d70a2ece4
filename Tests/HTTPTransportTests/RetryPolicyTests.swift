import HTTPTransport
import Testing

@Suite struct RetryPolicyTests {
    let policy = RetryPolicy(attempts: 4, firstDelay: .seconds(1), longestDelay: .seconds(3))

    @Test func waitsGrowToTheLongestAndEnd() {
        let waits = (1...4).map { policy.delay(after: $0, draw: 1) }
        #expect(waits == [.seconds(1), .seconds(2), .seconds(3), nil])
    }

    @Test func theServersWordIsAFloor() {
        #expect(policy.delay(after: 1, retryAfter: .seconds(10), draw: 0.5) == .seconds(10))
        #expect(policy.delay(after: 3, retryAfter: .seconds(1), draw: 0.5) == .milliseconds(1500))
    }
}
