import CanonicalJSON
import Teachers

/// A teacher behind the OpenAI batch API: a file of questions goes in, a file of answers comes out, within a day.
///
/// A batch is durable in the ledger before it is sent, and its id before it is waited for; after a crash the same
/// batches are looked for and waited for again. Answers are matched by `custom_id`, which is the request's key.
public final class BatchChatTeacher: BatchTeacher {
    private let parameters: ChatTeacherParameters
    private let chat: ChatTeacher
    private let service: BatchService
    private let surroundings: ChatTeacher.Surroundings

    /// The most questions in one batch; the API takes 50 000.
    private static let greatestBatch = 20_000

    public init(
        _ parameters: ChatTeacherParameters, service: ChatService,
        surroundings: ChatTeacher.Surroundings = ChatTeacher.Surroundings()
    ) {
        self.parameters = parameters
        self.surroundings = surroundings
        chat = ChatTeacher(parameters, service: service, surroundings: surroundings)
        self.service = BatchService(service: service, attempts: parameters.attempts, surroundings: surroundings)
    }

    public var identity: JSON { parameters.identity }
    public var name: String { parameters.model }
    public var endpoint: String { parameters.endpoint.description }
    public var prices: TokenPrices? { parameters.prices }
    public var concurrency: Int { chat.concurrency }

    /// One question outside a batch is asked directly.
    public func respond(to request: TeacherRequest) async throws -> TeacherResponse {
        try await chat.respond(to: request)
    }

    public func respond(
        to questions: [BatchQuestion], ledger: ResponseLedger, origin: LedgerEntry.Origin, replacing: Bool
    ) async -> [RequestKey: Result<TeacherResponse, TeacherError>] {
        var desk = BatchDesk(questions, ledger: ledger, origin: origin, prices: prices, replacing: replacing)
        do {
            // First what was begun before and answers some of these questions.
            for batch in try ledger.openBatches(endpoint: endpoint) where desk.concerns(batch) {
                var job = BatchJob(
                    token: batch.token, state: batch.batch.map { .created(batch: $0) } ?? .uncertain)
                try await work(&job, questions: desk.questions(of: batch.keys), &desk)
            }
            for round in 1...max(1, parameters.attempts) {
                let open = desk.open
                guard !open.isEmpty else { break }
                for start in stride(from: 0, to: open.count, by: Self.greatestBatch) {
                    try await send(Array(open[start..<min(start + Self.greatestBatch, open.count)]), &desk)
                }
                if round == parameters.attempts { desk.giveUp(attempts: round) }
            }
        } catch {
            desk.fail(error as? TeacherError ?? TeacherError(.other, "\(endpoint): \(error)"))
        }
        return desk.answers
    }

    private func send(_ questions: [BatchQuestion], _ desk: inout BatchDesk) async throws {
        let greatest = questions.reduce(0.0) { $0 + (prices?.cost(of: $1.request.greatestUsage()) ?? 0) }
        let reserved = prices == nil || questions.contains { $0.request.sampling.maxTokens == nil } ? nil : greatest
        try await surroundings.spending.reserve(calls: questions.count, cost: reserved)
        let before = desk.cost
        var job = BatchJob(token: RequestToken.make())
        do {
            try desk.open(job.token, questions, endpoint: endpoint, model: parameters.model)
            try await work(&job, questions: questions, &desk)
        } catch {
            surroundings.spending.settle(calls: questions.count, reserved: reserved, cost: desk.cost - before)
            throw error
        }
        surroundings.spending.settle(calls: questions.count, reserved: reserved, cost: desk.cost - before)
    }

    /// Carries out a batch's steps until its answers are in.
    private func work(_ job: inout BatchJob, questions: [BatchQuestion], _ desk: inout BatchDesk) async throws {
        while true {
            try Task.checkCancellation()
            switch job.next {
            case .find:
                job.found(try await service.find(token: job.token))
                try remember(job, desk)
            case .upload: job.uploaded(file: try await service.upload(lines(questions)))
            case .create(let file):
                job.saw(try await service.create(file: file, token: job.token))
                try remember(job, desk)
            case .poll(let batch):
                job.saw(try await service.poll(batch))
                if case .poll = job.next { try await surroundings.sleep(parameters.pollInterval) }
            case .collect(let files):
                for file in files { try await desk.take(try await service.content(ofFile: file), from: endpoint) }
                return try desk.close(job.token)
            case .giveUp(let problem):
                try desk.close(job.token)
                throw TeacherError(.refused, "\(endpoint): the batch \(job.token) failed: \(problem)")
            }
        }
    }

    private func remember(_ job: BatchJob, _ desk: BatchDesk) throws {
        switch job.state {
        case .created(let batch): try desk.setID(batch, job.token)
        case .ended(let status): try desk.setID(status.id, job.token)
        default: break
        }
    }

    private func lines(_ questions: [BatchQuestion]) -> [UInt8] {
        var lines: [UInt8] = []
        for question in questions {
            let body = ChatCompletionRequest(question.request, model: parameters.model, extra: parameters.extra).json
            let line: JSON = [
                "custom_id": .string(question.customID), "method": "POST", "url": "/v1/chat/completions", "body": body,
            ]
            lines += line.canonicalBytes + [0x0A]
        }
        return lines
    }
}
