import CanonicalJSON

/// A source of chains of thought: chat messages in, text out.
public protocol Teacher: Sendable {
    /// Who answers, as it enters action keys and the response ledger: kind, model, endpoint and every parameter that
    /// can change an answer. Nothing secret, and nothing that only changes speed.
    var identity: JSON { get }

    /// The name that records keep, such as `synthetic` or `gpt-4o`.
    var name: String { get }

    /// The base URL of the service that answers; empty for a teacher that is none.
    var endpoint: String { get }

    /// What its tokens cost; nil when that is not known.
    var prices: TokenPrices? { get }

    /// Whether the answer depends on the question's id beside the messages.
    var answersByID: Bool { get }

    /// The greatest number of requests that should be in flight at once.
    var concurrency: Int { get }

    /// Answers one request.
    ///
    /// - Throws: ``TeacherError``; other errors count as failures of the whole stage.
    func respond(to request: TeacherRequest) async throws -> TeacherResponse

    /// Answers one request, and has the answer kept while the request still counts as under way.
    ///
    /// No other request takes its place before that, so a crash loses no more answers than there are places. The default
    /// has an answer kept after ``respond(to:)-(TeacherRequest)``.
    ///
    /// - Parameter keep: returns when the answer survives the end of the process.
    /// - Throws: ``TeacherError``, and what `keep` throws.
    func respond(
        to request: TeacherRequest, keep: @Sendable (TeacherResponse) async throws -> Void
    ) async throws -> TeacherResponse

    /// Answers many requests; the results stand in the order of the requests.
    ///
    /// A failure about one question leaves the others alone. After a failure of the whole stage no further request is
    /// sent, and the requests not sent fail with it. The default sends up to ``concurrency`` requests at a time.
    func respond(to requests: [TeacherRequest]) async -> [Result<TeacherResponse, TeacherError>]
}

extension Teacher {
    public var endpoint: String { "" }
    public var prices: TokenPrices? { nil }
    public var answersByID: Bool { false }
    public var concurrency: Int { 1 }

    public func respond(to requests: [TeacherRequest]) async -> [Result<TeacherResponse, TeacherError>] {
        await results(of: requests.count, concurrency: concurrency) { await self.result(of: requests[$0]) }
    }

    public func respond(
        to request: TeacherRequest, keep: @Sendable (TeacherResponse) async throws -> Void
    ) async throws -> TeacherResponse {
        let response = try await respond(to: request)
        try await keep(response)
        return response
    }

    func result(
        of request: TeacherRequest, keep: @Sendable (TeacherResponse) async throws -> Void = { _ in }
    ) async -> Result<TeacherResponse, TeacherError> {
        do {
            return .success(try await respond(to: request, keep: keep))
        } catch let error as TeacherError {
            return .failure(error)
        } catch is CancellationError {
            return .failure(.cancelled)
        } catch {
            return .failure(TeacherError(.other, String(describing: error), questionID: request.id))
        }
    }
}

/// The results of calls number `0..<count`, in order, with at most `concurrency` of them under way.
///
/// After a call that fails for the whole stage, or when the task is cancelled, no further one is started.
func results(
    of count: Int, concurrency: Int,
    call: @escaping @Sendable (Int) async -> Result<TeacherResponse, TeacherError>
) async -> [Result<TeacherResponse, TeacherError>] {
    await withTaskGroup(of: (Int, Result<TeacherResponse, TeacherError>).self) { group in
        var results: [Result<TeacherResponse, TeacherError>?] = Array(repeating: nil, count: count)
        var stopping: TeacherError?
        var next = 0
        func start() {
            group.addTask { [index = next] in (index, await call(index)) }
            next += 1
        }
        while next < min(max(concurrency, 1), count) { start() }
        while let (index, result) = await group.next() {
            results[index] = result
            if case .failure(let error) = result, error.stopsStage { stopping = stopping ?? error }
            if Task.isCancelled { stopping = stopping ?? .cancelled }
            if next < count, stopping == nil { start() }
        }
        return results.map { $0 ?? .failure(stopping ?? .cancelled) }
    }
}
