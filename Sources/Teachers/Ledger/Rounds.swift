import Synchronization

/// Does for many at once what costs as much for one: what arrives while a round is under way forms the next round.
///
/// So a lone element is served at once, and many share a transaction or a synchronisation of the disk.
final class Rounds<Element: Sendable>: Sendable {
    typealias Completion = @Sendable (Result<Void, any Error>) -> Void

    private struct Waiting {
        var element: Element
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var isUnderWay = false
    }

    private let perform: @Sendable ([Element], @escaping Completion) -> Void
    private let state = Mutex(State())

    /// - Parameter perform: carries out a round and calls the completion once, on any thread.
    init(_ perform: @escaping @Sendable ([Element], @escaping Completion) -> Void) { self.perform = perform }

    /// Returns when a round that began after this call is over.
    func join(_ element: Element) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let starts = state.withLock { state in
                state.waiting.append(Waiting(element: element, continuation: continuation))
                defer { state.isUnderWay = true }
                return !state.isUnderWay
            }
            if starts { next() }
        }
    }

    private func next() {
        let round = state.withLock { state in
            defer { state.waiting = [] }
            if state.waiting.isEmpty { state.isUnderWay = false }
            return state.waiting
        }
        guard !round.isEmpty else { return }
        perform(round.map(\.element)) { result in
            for waiting in round { waiting.continuation.resume(with: result) }
            self.next()
        }
    }
}
