import Synchronization

/// The calls that are being made now, so that two askers of one question share one call.
final class CallsUnderWay: Sendable {
    typealias Answer = Result<TeacherResponse, TeacherError>

    private let waiting = Mutex<[RequestKey: [CheckedContinuation<Answer?, Never>]]>([:])

    /// The answer of `call`, or of the same call that is under way already. A shared call that fails gives all who wait
    /// for it the same failure.
    ///
    /// - Returns: the answer, and whether it was `call` that gave it.
    func once(_ key: RequestKey, call: () async -> Answer) async -> (answer: Answer, isOwn: Bool) {
        while true {
            if claim(key) {
                let answer = await call()
                let others = waiting.withLock { $0.removeValue(forKey: key) ?? [] }
                for continuation in others { continuation.resume(returning: answer) }
                return (answer, true)
            }
            let shared = await withCheckedContinuation { continuation in
                let isOver = waiting.withLock { waiting in
                    guard waiting[key] != nil else { return true }
                    waiting[key]!.append(continuation)
                    return false
                }
                if isOver { continuation.resume(returning: nil) }
            }
            if let shared { return (shared, false) }
        }
    }

    private func claim(_ key: RequestKey) -> Bool {
        waiting.withLock { waiting in
            guard waiting[key] == nil else { return false }
            waiting[key] = []
            return true
        }
    }
}
