import CanonicalJSON
import HTTPTransport
import Teachers

/// A teacher behind an OpenAI-compatible chat completions API.
public final class ChatTeacher: Teacher {
    /// What an action's teacher shares with those of other actions.
    public struct Surroundings: Sendable {
        public var spending: SpendingLimit
        /// Shared by all actions of a stage.
        public var stop: StopSignal
        /// Tells the user of something odd that is no failure.
        public var onRemark: @Sendable (String) -> Void
        var sleep: @Sendable (Duration) async throws -> Void
        var draw: @Sendable () -> Double

        public init(
            spending: SpendingLimit = SpendingLimit(), stop: StopSignal = StopSignal(),
            onRemark: @escaping @Sendable (String) -> Void = { _ in },
            sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
            draw: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
        ) {
            self.spending = spending
            self.stop = stop
            self.onRemark = onRemark
            self.sleep = sleep
            self.draw = draw
        }
    }

    let parameters: ChatTeacherParameters
    let service: ChatService
    let surroundings: Surroundings
    /// Where its requests stand at the endpoint's gate.
    private let line: Int

    public init(_ parameters: ChatTeacherParameters, service: ChatService, surroundings: Surroundings = Surroundings())
    {
        self.parameters = parameters
        self.service = service
        self.surroundings = surroundings
        line = service.gate.openLine()
    }

    public var identity: JSON { parameters.identity }
    public var name: String { parameters.model }
    public var endpoint: String { parameters.endpoint.description }
    public var prices: TokenPrices? { parameters.prices }

    /// More than the endpoint's budget lets through, so that no place is empty while an answer reaches the disk.
    public var concurrency: Int { parameters.limits.concurrency * 2 }

    /// - Throws: ``TeacherError``.
    public func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        try await respond(to: request) { _ in }
    }

    /// - Throws: ``TeacherError``, and what `keep` throws.
    public func respond(
        to request: TeacherRequest, keep: @Sendable (TeacherResponse) async throws -> Void
    ) async throws -> TeacherResponse {
        let body = ChatCompletionRequest(request, model: parameters.model, extra: parameters.extra).json.canonicalBytes
        var attempts = Attempts(parameters.attempts)
        while true {
            switch try await turn(request, body, &attempts, keep) {
            case .answered(let response): return response
            case .waits(let delay): try await surroundings.sleep(delay)
            }
        }
    }

    private enum Turn {
        case answered(TeacherResponse)
        /// Failed, and may be tried again after this time.
        case waits(Duration)
    }

    /// One attempt, and what follows from it.
    private func turn(
        _ request: TeacherRequest, _ body: [UInt8], _ attempts: inout Attempts,
        _ keep: @Sendable (TeacherResponse) async throws -> Void
    ) async throws -> Turn {
        let isFirst = try await service.first.begin()
        var isProven = false
        // Only after a failure for good has been raised: else the next in line would go first in vain.
        defer { if isFirst { service.first.ended(proven: isProven) } }
        switch try await attempt(request, body, keep) {
        case .success(let response):
            isProven = true
            return .answered(response)
        case .failure(let failure):
            if let delay = attempts.delay(after: failure, draw: surroundings.draw()) { return .waits(delay) }
            let error = error(failure, request, attempts: attempts.made)
            surroundings.stop.raise(error)
            throw error
        }
    }

    private enum Attempt {
        case success(TeacherResponse)
        case failure(ServiceFailure)
    }

    /// Sends the request once, when the budget and the limits allow it. Its place in the budget is given back when the
    /// answer is kept.
    private func attempt(
        _ request: TeacherRequest, _ body: [UInt8], _ keep: @Sendable (TeacherResponse) async throws -> Void
    ) async throws -> Attempt {
        let ticket = try await service.gate.enter(
            tokens: request.likelyPromptTokens + (request.sampling.maxTokens ?? 0), line: line)
        var reading: Reading?
        defer { service.gate.leave(ticket, reading?.outcome ?? .failed, headers: reading?.headers) }
        // While this request waited, another one may have found that it is of no use.
        if let error = surroundings.stop.error { throw error }
        let greatestCost = request.sampling.maxTokens.flatMap { _ in
            parameters.prices?.cost(of: request.greatestUsage())
        }
        try await surroundings.spending.reserve(cost: greatestCost)
        let attempt: Attempt
        do {
            let read = read(try await service.send(.post, "chat/completions", body: body), request)
            (attempt, reading) = (read.attempt, read)
        } catch {
            surroundings.spending.settle(
                reserved: greatestCost, cost: ServiceFailure.mayHaveBeenPaid(error) ? greatestCost ?? 0 : 0)
            if let failure = error as? WebFailure { return .failure(ServiceFailure(failure)) }
            if let error = error as? KeySourceError {
                throw TeacherError(.configuration, "\(endpoint): \(error)", questionID: request.id)
            }
            throw error
        }
        switch attempt {
        case .success(let response):
            let cost = response.usage.flatMap { usage in parameters.prices?.cost(of: usage) } ?? greatestCost ?? 0
            surroundings.spending.settle(reserved: greatestCost, cost: cost)
            try await keepOrStop(response, keep)
        case .failure(let failure):
            surroundings.spending.settle(
                reserved: greatestCost, cost: failure.code == .malformed ? greatestCost ?? 0 : 0)
        }
        return attempt
    }

    /// An answer that cannot be kept is lost money: nothing more is sent for the stage.
    private func keepOrStop(
        _ response: TeacherResponse, _ keep: (TeacherResponse) async throws -> Void
    ) async throws {
        do {
            try await keep(response)
        } catch {
            if let error = error as? TeacherError { surroundings.stop.raise(error) }
            throw error
        }
    }

    /// What was read from a server's answer, for the request and for the budget.
    private struct Reading {
        var attempt: Attempt
        var outcome: EndpointBudget.Outcome
        var headers: RateLimitHeaders?
    }

    private func read(_ response: WebResponse, _ request: TeacherRequest) -> Reading {
        let headers = RateLimitHeaders { response[header: $0] }
        guard response.status == 200 else {
            let failure = ServiceFailure(response)
            return Reading(attempt: .failure(failure), outcome: failure.outcome, headers: headers)
        }
        do throws(ChatCompletion.Malformed) {
            let answer = try ChatCompletion.read(response.body, contentType: response[header: "Content-Type"])
            let tokens = answer.response.usage.map { $0.promptTokens + $0.completionTokens }
            if let remark = answer.remark {
                surroundings.onRemark("\(endpoint): question \"\(request.id)\": \(remark)")
            }
            return Reading(
                attempt: .success(answer.response), outcome: .answered(tokens: tokens), headers: headers)
        } catch {
            return Reading(attempt: .failure(ServiceFailure(error)), outcome: .failed, headers: headers)
        }
    }

    private func error(_ failure: ServiceFailure, _ request: TeacherRequest, attempts: Int) -> TeacherError {
        TeacherError(
            failure.code,
            service.redacted(
                "\(endpoint), model \(parameters.model): \(failure.problem)"
                    + (attempts > 1 ? " (\(attempts) attempts)" : "")),
            questionID: request.id)
    }
}
