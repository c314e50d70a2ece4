import Synchronization

/// Lets requests to one endpoint through as its ``EndpointBudget`` allows, in the order they came.
///
/// One gate stands for an endpoint in the whole process, whichever stages ask it.
public final class EndpointGate: Sendable {
    /// The time, as a duration since a fixed moment, and a way to wait for it. Tests bring their own.
    public struct Clock: Sendable {
        public var now: @Sendable () -> Duration
        public var sleep: @Sendable (Duration) async throws -> Void

        public init(
            now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void
        ) {
            self.now = now
            self.sleep = sleep
        }

        /// The time since the machine was started: changes of the wall clock do not matter.
        public static let continuous: Clock = {
            let start = ContinuousClock.now
            return Clock(now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) })
        }()
    }

    private struct Waiting {
        let number: Int
        let tokens: Int
        let continuation: CheckedContinuation<EndpointBudget.Ticket, any Error>
    }

    private struct State {
        var budget: EndpointBudget
        var waiting: [Waiting] = []
        /// How many of the first of ``waiting`` are gone; they are dropped now and then.
        var served = 0
        var nextNumber = 0
        var cancelled: Set<Int> = []
        /// When the gate wakes up by itself.
        var alarm: Duration?
    }

    private let clock: Clock
    private let state: Mutex<State>

    public init(_ limits: EndpointBudget.Limits, clock: Clock = .continuous) {
        self.clock = clock
        state = Mutex(State(budget: EndpointBudget(limits)))
    }

    /// What another stage allows holds too.
    public func restrict(to limits: EndpointBudget.Limits) { state.withLock { $0.budget.restrict(to: limits) } }

    /// Waits for its turn.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before.
    public func enter(tokens: Int) async throws -> EndpointBudget.Ticket {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return true }
                    state.waiting.append(Waiting(number: number, tokens: tokens, continuation: continuation))
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) } else { letThrough() }
            }
        } onCancel: {
            let waiting = state.withLock { state -> Waiting? in
                guard
                    let place = state.waiting.indices.dropFirst(state.served).first(where: {
                        state.waiting[$0].number == number
                    })
                else {
                    // Not there yet, or through already; in the second case nobody asks for the mark again.
                    state.cancelled.insert(number)
                    return nil
                }
                return state.waiting.remove(at: place)
            }
            waiting?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Gives a request's place back.
    public func leave(
        _ ticket: EndpointBudget.Ticket, _ outcome: EndpointBudget.Outcome, headers: RateLimitHeaders? = nil
    ) {
        state.withLock { $0.budget.end(ticket, outcome, headers: headers, at: clock.now()) }
        letThrough()
    }

    private func letThrough() {
        var admitted: [(Waiting, EndpointBudget.Ticket)] = []
        let alarm = state.withLock { state -> Duration? in
            let now = clock.now()
            while state.served < state.waiting.count {
                let first = state.waiting[state.served]
                switch state.budget.admit(tokens: first.tokens, at: now) {
                case .now(let ticket):
                    admitted.append((first, ticket))
                    state.served += 1
                    continue
                case .afterOneEnds: break
                case .at(let time):
                    guard state.alarm.map({ time < $0 }) ?? true else { break }
                    state.alarm = time
                    return time
                }
                break
            }
            if state.served > 64, state.served * 2 > state.waiting.count {
                state.waiting.removeFirst(state.served)
                state.served = 0
            }
            return nil
        }
        for (waiting, ticket) in admitted { waiting.continuation.resume(returning: ticket) }
        guard let alarm else { return }
        Task {
            try? await clock.sleep(max(.zero, alarm - clock.now()))
            state.withLock { if $0.alarm == alarm { $0.alarm = nil } }
            letThrough()
        }
    }
}
