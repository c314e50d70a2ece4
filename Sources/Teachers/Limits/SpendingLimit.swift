import Synchronization

/// The most that a run may send and spend, over all stages: `--max-calls` and `--max-cost`.
///
/// A request is let through only when the run stays within both bounds even if it costs the most it can. While other
/// requests are under way, whose true cost may leave room, it waits for them; then the run stops.
public final class SpendingLimit: Sendable {
    /// What was spent so far.
    public struct Spending: Sendable, Equatable {
        /// Requests sent, repeated attempts included.
        public var calls = 0
        /// US dollars.
        public var cost = 0.0
    }

    public let maxCalls: Int?
    /// US dollars.
    public let maxCost: Double?

    private struct State {
        var spent = Spending()
        /// Requests under way, and the most they can cost.
        var underWay = 0
        var reserved = 0.0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    public init(maxCalls: Int? = nil, maxCost: Double? = nil) {
        self.maxCalls = maxCalls
        self.maxCost = maxCost
    }

    public var spent: Spending { state.withLock(\.spent) }

    private enum Decision {
        case granted, wait
        case refused(TeacherError)
    }

    /// Takes what requests can cost at most out of what is left.
    ///
    /// - Parameters:
    ///   - calls: number of requests.
    ///   - cost: US dollars for all of them, at most; nil when the prices are not known.
    /// - Throws: ``TeacherError`` with the code ``TeacherError/Code/limit`` when too little is left.
    public func reserve(calls: Int = 1, cost: Double?) async throws(TeacherError) {
        if maxCost != nil, cost == nil {
            throw TeacherError(
                .limit, "--max-cost needs to know what a call can cost: give the teacher prices and a limit on tokens")
        }
        while true {
            switch decide(calls: calls, cost: cost ?? 0) {
            case .granted: return
            case .refused(let error): throw error
            case .wait:
                await withCheckedContinuation { continuation in
                    let isOver = state.withLock { state in
                        guard state.underWay > 0 else { return true }
                        state.waiting.append(continuation)
                        return false
                    }
                    if isOver { continuation.resume() }
                }
                if Task.isCancelled { throw .cancelled }
            }
        }
    }

    private func decide(calls: Int, cost: Double) -> Decision {
        state.withLock { state in
            if let maxCalls, state.spent.calls + calls > maxCalls {
                return .refused(
                    TeacherError(
                        .limit,
                        "stopped before a call more than --max-calls \(maxCalls) (\(state.spent.calls) were made); what was"
                            + " answered is kept"))
            }
            if let maxCost, state.spent.cost + state.reserved + cost > maxCost {
                if state.underWay > 0 { return .wait }
                return .refused(
                    TeacherError(
                        .limit,
                        "stopped before --max-cost \(dollars(maxCost)) could be exceeded: \(dollars(state.spent.cost)) were"
                            + " spent, and the next call can cost \(dollars(cost)); what was answered is kept"))
            }
            state.spent.calls += calls
            state.underWay += calls
            state.reserved += cost
            return .granted
        }
    }

    /// Says what reserved requests cost in fact.
    public func settle(calls: Int = 1, reserved: Double?, cost: Double) {
        let waiting = state.withLock { state in
            state.underWay -= calls
            state.reserved = state.underWay == 0 ? 0 : state.reserved - (reserved ?? 0)
            state.spent.cost += cost
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// `$0.0123`: US dollars to a hundredth of a cent.
public func dollars(_ amount: Double) -> String {
    let units = Int64((min(max(amount, 0), 1e12) * 10_000).rounded())
    let fraction = String(units % 10_000)
    return "$\(units / 10_000).\(String(repeating: "0", count: 4 - fraction.count))\(fraction)"
}
