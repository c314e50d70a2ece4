import Synchronization
import Teachers

/// Lets one request go first, and the others when it has shown that the service answers.
final class FirstRequest: Sendable {
    private enum State {
        case open
        case underWay([CheckedContinuation<Void, Never>])
        case proven
    }

    private let state = Mutex(State.open)

    /// Waits until the service is known to answer, or it is this caller's turn to find out.
    ///
    /// - Returns: whether this caller goes first, and has to report with ``ended(_:)``.
    func begin() async throws(TeacherError) -> Bool {
        while true {
            if Task.isCancelled { throw .cancelled }
            let decision = state.withLock { state -> Bool? in
                switch state {
                case .open:
                    state = .underWay([])
                    return true
                case .underWay: return nil
                case .proven: return false
                }
            }
            if let decision { return decision }
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard case .underWay(var waiting) = state else { return true }
                    waiting.append(continuation)
                    state = .underWay(waiting)
                    return false
                }
                if isOver { continuation.resume() }
            }
        }
    }

    /// - Parameter proven: whether the service answered; else the next caller finds out.
    func ended(proven: Bool) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            defer { state = proven ? .proven : .open }
            if case .underWay(let waiting) = state { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume() }
    }
}
