import CanonicalJSON
import Synchronization

/// A teacher whose answers are kept in a ledger and never asked for twice.
///
/// An answer is durable before it is handed out. Failed calls are not kept.
public final class LedgeredTeacher: Teacher {
    /// What was asked of the teacher, and what the ledger answered.
    public struct Tally: Sendable, Equatable {
        /// Calls of the teacher behind the ledger, failed ones included.
        public var calls = 0
        /// Calls that the ledger answered.
        public var saved = 0

        public init(calls: Int = 0, saved: Int = 0) {
            self.calls = calls
            self.saved = saved
        }
    }

    private let teacher: any Teacher
    private let ledger: ResponseLedger
    private let identityBytes: [UInt8]
    private let counts = Mutex(Tally())

    public init(_ teacher: any Teacher, ledger: ResponseLedger) {
        self.teacher = teacher
        self.ledger = ledger
        identityBytes = teacher.identity.canonicalBytes
    }

    public var identity: JSON { teacher.identity }
    public var name: String { teacher.name }
    public var answersByID: Bool { teacher.answersByID }
    public var concurrency: Int { teacher.concurrency }

    /// Since this value was made.
    public var tally: Tally { counts.withLock { $0 } }

    private func key(_ request: TeacherRequest) -> RequestKey {
        RequestKey(request, teacher: identityBytes, answersByID: answersByID)
    }

    /// - Throws: ``TeacherError``, with the code ``TeacherError/Code/ledger`` when the ledger fails.
    public func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        let key = key(request)
        do {
            if let known = try ledger.response(for: key) {
                counts.withLock { $0.saved += 1 }
                return known
            }
        } catch {
            throw TeacherError(.ledger, String(describing: error))
        }
        return try await ask(request, key).get()
    }

    /// Answers from the ledger in batches and asks the teacher for the rest, each different request once.
    ///
    /// Results stand in the order of the requests. Besides them, memory is bounded by the batches.
    public func respond(to requests: [TeacherRequest]) async -> [Result<TeacherResponse, TeacherError>] {
        var results: [Result<TeacherResponse, TeacherError>] = []
        results.reserveCapacity(requests.count)
        var start = 0
        while start < requests.count {
            let end = min(start + ResponseLedger.batch, requests.count)
            let answers = await respond(toBatch: requests[start..<end])
            results += answers
            start = end
            if let error = answers.lazy.compactMap(\.failure).first(where: \.stopsStage) {
                results += Array(repeating: .failure(error), count: requests.count - end)
                break
            }
        }
        return results
    }

    private func respond(toBatch requests: ArraySlice<TeacherRequest>) async -> [Result<TeacherResponse, TeacherError>]
    {
        let keys = requests.map(key)
        var known: [RequestKey: Result<TeacherResponse, TeacherError>]
        do {
            known = try ledger.responses(for: keys).mapValues { .success($0) }
        } catch {
            let failure = TeacherError(.ledger, String(describing: error))
            return requests.map { _ in .failure(failure) }
        }
        var asked: Set<RequestKey> = []
        let missing = zip(keys, requests).filter { known[$0.0] == nil && asked.insert($0.0).inserted }
        counts.withLock { [saved = requests.count - missing.count] in $0.saved += saved }
        let answers = await results(of: missing.count, concurrency: concurrency) { index in
            await self.ask(missing[index].1, missing[index].0)
        }
        for (entry, answer) in zip(missing, answers) { known[entry.0] = answer }
        return keys.map { known[$0] ?? .failure(.cancelled) }
    }

    /// Calls the teacher and makes its answer durable.
    private func ask(_ request: TeacherRequest, _ key: RequestKey) async -> Result<TeacherResponse, TeacherError> {
        counts.withLock { $0.calls += 1 }
        let result = await teacher.result(of: request)
        guard case .success(let response) = result else { return result }
        do {
            try await ledger.record(response, for: key, teacher: name)
            return result
        } catch {
            return .failure(TeacherError(.ledger, String(describing: error)))
        }
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
