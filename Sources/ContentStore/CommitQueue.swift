import Dispatch
import Synchronization

/// Gathers requests while a commit is under way, and commits them together: the more there are, the less each costs.
final class CommitQueue: Sendable {
    typealias Completion = @Sendable (Result<Void, any Error>) -> Void

    struct Request: Sendable {
        /// The action whose result is to be put in place; nil for a mere flush.
        var key: Digest?
        var completion: Completion
    }

    private let queue = DispatchQueue(label: "retort.store.commit")
    private let waiting = Mutex<[Request]>([])

    /// Adds a request; `commit` gets all that have gathered, on the queue's thread.
    func add(_ request: Request, commit: @escaping @Sendable ([Request]) -> Void) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(request)
            return waiting.count == 1
        }
        guard isFirst else { return }
        queue.async {
            let requests = self.waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            commit(requests)
        }
    }
}
