import Synchronization

/// Lets requests to one endpoint through as its ``EndpointBudget`` allows.
///
/// One gate stands for an endpoint in the whole process, whichever stages ask it. Who asks stands in a line of his own;
/// the line that was opened first goes first, and within a line the request that came first. So actions that ask at once
/// end one after another: what the first does with its answers happens while the others wait for theirs.
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

    /// Requests of one asker that wait.
    private struct Line {
        let number: Int
        var waiting: [Waiting] = []
        /// How many of the first of ``waiting`` are gone; they are dropped now and then.
        var served = 0

        var isEmpty: Bool { served == waiting.count }

        mutating func serve() {
            served += 1
            if served > 64, served * 2 > waiting.count {
                waiting.removeFirst(served)
                served = 0
            }
        }

        /// Takes a request out, if it waits here. O(n).
        mutating func remove(_ request: Int) -> Waiting? {
            guard let place = waiting.indices.dropFirst(served).first(where: { waiting[$0].number == request }) else {
                return nil
            }
            return waiting.remove(at: place)
        }
    }

    private struct State {
        var budget: EndpointBudget
        /// Those in which somebody waits, in the order of their numbers.
        var lines: [Line] = []
        var nextLine = 0
        var nextNumber = 0
        var cancelled: Set<Int> = []
        /// When the gate wakes up by itself.
        var alarm: Duration?

        /// O(lines).
        mutating func add(_ waiting: Waiting, to line: Int) {
            let place = lines.firstIndex { $0.number >= line } ?? lines.endIndex
            if place == lines.endIndex || lines[place].number > line { lines.insert(Line(number: line), at: place) }
            lines[place].waiting.append(waiting)
        }

        mutating func serveFirst() {
            lines[0].serve()
            if lines[0].isEmpty { lines.removeFirst() }
        }
    }

    private let clock: Clock
    private let state: Mutex<State>

    public init(_ limits: EndpointBudget.Limits, clock: Clock = .continuous) {
        self.clock = clock
        state = Mutex(State(budget: EndpointBudget(limits)))
    }

    /// What another stage allows holds too.
    public func restrict(to limits: EndpointBudget.Limits) { state.withLock { $0.budget.restrict(to: limits) } }

    /// Requests that wait now.
    var waiting: Int { state.withLock { $0.lines.reduce(0) { $0 + $1.waiting.count - $1.served } } }

    /// Opens a line behind those that were opened before.
    ///
    /// - Returns: its number.
    public func openLine() -> Int {
        state.withLock { state in
            state.nextLine += 1
            return state.nextLine
        }
    }

    /// Waits for its turn.
    ///
    /// - Parameters:
    ///   - tokens: what the request can take, at most.
    ///   - line: where it stands; 0 goes before all others.
    /// - Throws: `CancellationError` when the task is cancelled before.
    public func enter(tokens: Int, line: Int = 0) async throws -> EndpointBudget.Ticket {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return true }
                    state.add(Waiting(number: number, tokens: tokens, continuation: continuation), to: line)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) } else { letThrough() }
            }
        } onCancel: {
            let waiting = state.withLock { state -> Waiting? in
                for place in state.lines.indices {
                    guard let found = state.lines[place].remove(number) else { continue }
                    if state.lines[place].isEmpty { state.lines.remove(at: place) }
                    return found
                }
                // Not there yet, or through already; in the second case nobody asks for the mark again.
                state.cancelled.insert(number)
                return nil
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
            while !state.lines.isEmpty {
                let first = state.lines[0].waiting[state.lines[0].served]
                switch state.budget.admit(tokens: first.tokens, at: now) {
                case .now(let ticket):
                    admitted.append((first, ticket))
                    state.serveFirst()
                    continue
                case .afterOneEnds: break
                case .at(let time):
                    guard state.alarm.map({ time < $0 }) ?? true else { break }
                    state.alarm = time
                    return time
                }
                break
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
