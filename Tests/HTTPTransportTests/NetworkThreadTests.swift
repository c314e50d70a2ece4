import Dispatch
import Foundation
import Synchronization
import Testing

@testable import HTTPTransport

/// Requests and those who wait for them must not share threads.
@Suite struct NetworkThreadTests {
    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }

    @Test(.timeLimit(.minutes(1))) func requestsGoOnWhileEveryOtherThreadIsTaken() throws {
        let answered = Flag()
        let others = DispatchGroup()
        // Threads that compute are never joined by others: waiting ones would be, a second later each.
        for _ in 0..<2 * ProcessInfo.processInfo.activeProcessorCount {
            DispatchQueue.global().async(group: others) { while !answered.isSet {} }
        }
        try Network.wait { answered.set() }
        others.wait()
    }
}
