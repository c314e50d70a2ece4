import CanonicalJSON
import Synchronization

/// A teacher whose answers are kept in a ledger and never asked for twice.
///
/// An answer is durable before it is handed out. Failed calls are not kept. Equal requests that are under way at once
/// share one call.
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
    private let origin: LedgerEntry.Origin
    private let retry: AnswersToRetry
    private let identityBytes: [UInt8]
    private let counts = Mutex(Tally())

    /// - Parameters:
    ///   - stage: the stage that asks, for the ledger's statistics.
    ///   - retry: known answers to ask for again.
    public init(
        _ teacher: any Teacher, ledger: ResponseLedger, stage: String = "", retry: AnswersToRetry = AnswersToRetry()
    ) {
        self.teacher = teacher
        self.ledger = ledger
        self.retry = retry
        origin = LedgerEntry.Origin(teacher: teacher.name, endpoint: teacher.endpoint, stage: stage)
        identityBytes = teacher.identity.canonicalBytes
    }

    public var identity: JSON { teacher.identity }
    public var name: String { teacher.name }
    public var endpoint: String { teacher.endpoint }
    public var prices: TokenPrices? { teacher.prices }
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
        if let known = try known([key])[key] {
            counts.withLock { $0.saved += 1 }
            return known
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
        var answers: [RequestKey: Result<TeacherResponse, TeacherError>]
        do {
            answers = try known(keys).mapValues { .success($0) }
        } catch {
            return requests.map { _ in .failure(error) }
        }
        var asked: Set<RequestKey> = []
        let missing = zip(keys, requests).filter { answers[$0.0] == nil && asked.insert($0.0).inserted }
        counts.withLock { [saved = requests.count - missing.count] in $0.saved += saved }
        if let teacher = teacher as? any BatchTeacher, !missing.isEmpty {
            let questions = missing.map { BatchQuestion(key: $0.0, request: $0.1) }
            counts.withLock { $0.calls += questions.count }
            let new = await teacher.respond(to: questions, ledger: ledger, origin: origin, replacing: isRetrying)
            for question in questions {
                answers[question.key] = new[question.key] ?? .failure(.cancelled)
                retry.markRetried(question.key)
            }
        } else {
            let new = await results(of: missing.count, concurrency: concurrency) { index in
                await self.ask(missing[index].1, missing[index].0)
            }
            for (entry, answer) in zip(missing, new) { answers[entry.0] = answer }
        }
        return keys.map { answers[$0] ?? .failure(.cancelled) }
    }

    private var isRetrying: Bool { !retry.finishReasons.isEmpty }

    /// What the ledger answers, without what is to be asked for again.
    private func known(_ keys: [RequestKey]) throws(TeacherError) -> [RequestKey: TeacherResponse] {
        do {
            let known = try ledger.responses(for: keys)
            return isRetrying ? known.filter { !retry.includes($0.value, for: $0.key) } : known
        } catch {
            throw TeacherError(.ledger, String(describing: error))
        }
    }

    /// Calls the teacher and makes its answer durable: written while the call counts as under way, on the disk before
    /// the answer is used.
    private func ask(_ request: TeacherRequest, _ key: RequestKey) async -> Result<TeacherResponse, TeacherError> {
        let (answer, isOwn) = await ledger.calls.once(key) {
            do throws(TeacherError) {
                // The same call may have ended since this one looked.
                if let known = try known([key])[key] {
                    counts.withLock { $0.saved += 1 }
                    return .success(known)
                }
            } catch {
                return .failure(error)
            }
            counts.withLock { $0.calls += 1 }
            let result = await teacher.result(of: request) { response in
                try await self.write(response, to: request, key)
            }
            guard case .success = result else { return result }
            do {
                try await ledger.synchronize()
                retry.markRetried(key)
                return result
            } catch {
                return .failure(TeacherError(.ledger, String(describing: error), questionID: request.id))
            }
        }
        if !isOwn { counts.withLock { $0.saved += 1 } }
        return answer
    }

    private func write(
        _ response: TeacherResponse, to request: TeacherRequest, _ key: RequestKey
    ) async throws(TeacherError) {
        let entry = LedgerEntry(
            key: key, origin: origin, day: dayInUTC(),
            cost: response.usage.flatMap { usage in teacher.prices?.cost(of: usage) }, response: response)
        do {
            try await ledger.write(entry, replacing: isRetrying)
        } catch {
            throw TeacherError(.ledger, String(describing: error), questionID: request.id)
        }
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
