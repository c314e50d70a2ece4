import CanonicalJSON
import Synchronization
import Teachers

/// The synthetic teacher behind an OpenAI-compatible API: chat completions, models, files and batches, with faults on
/// purpose. Requests and answers are values; it knows no sockets.
final class ServedTeacher: Sendable {
    private struct State {
        var requests = 0
        var inFlight = 0
        var greatestInFlight = 0
        /// Chat requests by status.
        var statuses: [Int: Int] = [:]
        /// When requests were let through, of the last minute.
        var recent: [Duration] = []
        var tokens = 0
    }

    let settings: ServerSettings
    let batches: ServedBatches
    private let teacher: SyntheticTeacher
    private let state = Mutex(State())
    private let clock: @Sendable () -> Duration

    init(_ settings: ServerSettings, clock: @escaping @Sendable () -> Duration) {
        self.settings = settings
        self.clock = clock
        teacher = SyntheticTeacher(settings.teacher)
        batches = ServedBatches(delay: .milliseconds(settings.batchDelay), clock: clock)
    }

    var requests: Int { state.withLock(\.requests) }
    var greatestInFlight: Int { state.withLock(\.greatestInFlight) }

    /// The answer to any request. A chat request that is answered this way is in flight until ``finished()``.
    func respond(to request: ServerRequest) -> (ServerResponse, isChat: Bool) {
        if request.method == "GET", request.path == "/stats" { return (statistics, false) }
        if let key = settings.key, request.authorization != "Bearer \(key)" {
            return (Self.error(401, "Incorrect API key provided.", code: "invalid_api_key"), false)
        }
        switch (request.method, request.path) {
        case ("POST", "/v1/chat/completions"): return (chat(request.body), true)
        case ("GET", "/v1/models"):
            return (
                Self.json(["object": "list", "data": [["id": .string(settings.model), "object": "model"]]]), false
            )
        default:
            let answer = batches.respond(to: request) { body in
                let answer = self.completion(body, number: nil)
                return (answer.status, answer.body)
            }
            return (answer ?? Self.error(404, "There is no resource \(request.path).", code: "not_found"), false)
        }
    }

    func finished() { state.withLock { $0.inFlight -= 1 } }

    private func chat(_ body: [UInt8]) -> ServerResponse {
        let (number, inFlight, recent) = state.withLock { state in
            state.requests += 1
            state.inFlight += 1
            state.greatestInFlight = max(state.greatestInFlight, state.inFlight)
            // Only a limit needs the times.
            if settings.requestsPerMinute != nil {
                let now = clock()
                state.recent.removeAll { $0 + .seconds(60) <= now }
                state.recent.append(now)
            }
            return (state.requests, state.inFlight, state.recent.count)
        }
        var response: ServerResponse
        if let limit = settings.concurrency, inFlight > limit {
            response = Self.error(429, "Too many requests are under way.", code: "rate_limit_exceeded")
        } else if let limit = settings.requestsPerMinute, recent > limit {
            response = Self.error(429, "Rate limit of \(limit) requests a minute reached.", code: "rate_limit_exceeded")
            response.headers.append(("Retry-After", "1"))
        } else {
            response = completion(body, number: number)
        }
        response.delay += settings.latency
        if let limit = settings.requestsPerMinute {
            response.headers += [
                ("x-ratelimit-limit-requests", "\(limit)"),
                ("x-ratelimit-remaining-requests", "\(max(0, limit - recent))"),
                ("x-ratelimit-reset-requests", "1s"),
            ]
        }
        state.withLock { $0.statuses[response.status, default: 0] += 1 }
        return response
    }

    /// The answer to one request's body; `number` is nil in a batch, where faults of the connection do not exist.
    private func completion(_ body: [UInt8], number: Int?) -> ServerResponse {
        guard let json = try? JSON.parse(body), let messages = Self.messages(json) else {
            return Self.error(400, "The body is no chat completion request.", code: "invalid_request")
        }
        guard json["model"]?.string == settings.model else {
            return Self.error(
                404, "The model \"\(json["model"]?.string ?? "")\" does not exist.", code: "model_not_found")
        }
        let prompt = messages.last?.content ?? ""
        let faults = settings.faults.filter { $0.strikes(request: number ?? 0, prompt: prompt) }.map(\.fault)
        var sampling = SamplingParameters()
        sampling.maxTokens = json["max_tokens"]?.integer
        sampling.stop = json["stop"]?.array?.compactMap(\.string) ?? []
        var answer = teacher.answer(
            TeacherRequest(
                id: "", messages: messages, sampling: sampling, sampleIndex: max(0, json["seed"]?.integer ?? 0)))
        if faults.contains(.cutOff) { answer.finishReason = .length }
        if faults.contains(.emptyContent) { answer.text = "" }
        var response = Self.json(completion(answer, faults))
        for fault in faults { Self.apply(fault, to: &response) }
        return response
    }

    private func completion(_ answer: TeacherResponse, _ faults: [Fault]) -> JSON {
        let text = faults.contains(.huge) ? String(repeating: "0123456789", count: 5_000_000) : answer.text
        let choice: JSON = [
            "index": 0, "finish_reason": .string(answer.finishReason.word),
            "message": ["role": "assistant", "content": .string(text)],
        ]
        let (prompt, completion) = (answer.usage?.promptTokens ?? 0, answer.usage?.completionTokens ?? 0)
        return [
            "object": "chat.completion", "model": .string(settings.model),
            "choices": .array(faults.contains(.noChoices) ? [] : [choice]),
            "usage": [
                "prompt_tokens": .integer(Int64(prompt)), "completion_tokens": .integer(Int64(completion)),
                "total_tokens": .integer(Int64(prompt + completion)),
            ],
        ]
    }

    private static func apply(_ fault: Fault, to response: inout ServerResponse) {
        switch fault {
        case .tooManyRequests(let seconds):
            response = error(429, "Rate limit reached.", code: "rate_limit_exceeded")
            if let seconds { response.headers.append(("Retry-After", "\(seconds)")) }
        case .status(let status): response = error(status, "The server fails on purpose.", code: "fault")
        case .contextLength:
            response = error(
                400, "This model's maximum context length is 2048 tokens.", code: "context_length_exceeded")
        case .delay(let milliseconds): response.delay += milliseconds
        case .drop: response.delivery = .nothing
        case .truncate: response.delivery = .half
        case .invalidJSON: response.body = Array("{\"choices\": [".utf8)
        case .contentType:
            response.contentType = "text/html"
            response.body = Array("<html><body>Bad gateway</body></html>".utf8)
        case .invalidUTF8:
            let mark = Array("\"content\":\"".utf8)
            if let place = response.body.indices.first(where: { response.body[$0...].starts(with: mark) }) {
                response.body.insert(0xFF, at: place + mark.count)
            }
        case .noChoices, .emptyContent, .huge, .cutOff: break
        }
    }

    private static func messages(_ json: JSON) -> [ChatMessage]? {
        guard let list = json["messages"]?.array, !list.isEmpty else { return nil }
        var messages: [ChatMessage] = []
        for element in list {
            guard let role = element["role"]?.string.flatMap(ChatMessage.Role.init(rawValue:)),
                let content = element["content"]?.string
            else { return nil }
            messages.append(ChatMessage(role: role, content: content))
        }
        return messages
    }

    static func json(_ json: JSON) -> ServerResponse { ServerResponse(body: json.canonicalBytes) }

    static func error(_ status: Int, _ message: String, code: String) -> ServerResponse {
        let body: JSON = ["error": ["message": .string(message), "code": .string(code), "type": "error"]]
        return ServerResponse(status: status, body: body.canonicalBytes)
    }

    /// What was asked so far.
    private var statistics: ServerResponse {
        let state = state.withLock { $0 }
        return Self.json([
            "requests": .integer(Int64(state.requests)),
            "greatest_in_flight": .integer(Int64(state.greatestInFlight)),
            "statuses": .object(JSONObject(state.statuses.map { ("\($0.key)", .integer(Int64($0.value))) })),
            "batches": .integer(Int64(batches.created)), "batch_requests": .integer(Int64(batches.answered)),
        ])
    }
}
