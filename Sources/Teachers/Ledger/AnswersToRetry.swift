import Synchronization

/// Known answers that the user wants to have again, because they ended for certain reasons: each is asked for once more
/// in a run, and the new answer takes the place of the old one.
public final class AnswersToRetry: Sendable {
    /// In the endpoint's words, such as `length`.
    public let finishReasons: Set<String>
    private let retried = Mutex<Set<RequestKey>>([])

    public init(finishReasons: Set<String> = []) { self.finishReasons = finishReasons }

    /// Whether a known answer is still to be asked for again.
    func includes(_ response: TeacherResponse, for key: RequestKey) -> Bool {
        guard finishReasons.contains(response.finishReason.word) else { return false }
        return retried.withLock { !$0.contains(key) }
    }

    func markRetried(_ key: RequestKey) {
        guard !finishReasons.isEmpty else { return }
        retried.withLock { _ = $0.insert(key) }
    }
}
