import NIOCore
import NIOPosix
import Synchronization

/// One request under way, and what ends it when its time is over.
final class WatchedRequest: Sendable {
    private struct State {
        var watchdog: Watchdog
        var expired: Watchdog.Expiry?
        var end: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>

    init(_ limits: TimeLimits) {
        state = Mutex(State(watchdog: Watchdog(limits, hasStreamedBody: false, start: .now)))
    }

    /// The limit that ended the request, if one did.
    var expired: Watchdog.Expiry? { state.withLock { $0.expired } }

    /// Says how to end the request. One whose end has come already is ended at once.
    func onEnd(_ end: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            state.end = end
            return state.expired != nil
        }
        if isOver { end() }
    }

    func received() { state.withLock { $0.watchdog.received(at: ContinuousClock.now) } }

    /// Ends the request if one of its limits is over.
    func check(at time: ContinuousClock.Instant) {
        let end = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.expired == nil, let expiry = state.watchdog.expiry(at: time) else { return nil }
            state.expired = expiry
            return state.end
        }
        end?()
    }
}

/// Looks at all streamed requests of a client a few times a second, while there are any.
///
/// A timer on an event loop does it: the cooperative pool, whose threads may be busy, has no part in it.
final class RequestWatch: Sendable {
    private struct State {
        var requests: [ObjectIdentifier: WatchedRequest] = [:]
        var isTicking = false
    }

    private static let interval = TimeAmount.milliseconds(50)
    private let state = Mutex(State())

    func add(_ request: WatchedRequest, on group: any EventLoopGroup) {
        let isFirst = state.withLock { state in
            state.requests[ObjectIdentifier(request)] = request
            defer { state.isTicking = true }
            return !state.isTicking
        }
        if isFirst { schedule(on: group.any()) }
    }

    func remove(_ request: WatchedRequest) { state.withLock { $0.requests[ObjectIdentifier(request)] = nil } }

    private func schedule(on loop: any EventLoop) {
        loop.scheduleTask(in: RequestWatch.interval) { self.tick(on: loop) }
    }

    private func tick(on loop: any EventLoop) {
        let requests = state.withLock { state in
            state.isTicking = !state.requests.isEmpty
            return Array(state.requests.values)
        }
        guard !requests.isEmpty else { return }
        let now = ContinuousClock.now
        for request in requests { request.check(at: now) }
        schedule(on: loop)
    }
}
