import CanonicalJSON
import HTTPTransport
import Teachers

/// What a failed attempt means for the request and for the endpoint.
struct ServiceFailure: Sendable {
    /// Whether to try again.
    enum Remedy: Sendable, Equatable {
        /// After a while, as often as the policy says.
        case retry(after: Duration?)
        /// The endpoint is busy: after a while, and with more patience.
        case yield(after: Duration?)
        /// Once: the answer may have been paid for, and may be no better the next time.
        case retryOnce
        case giveUp
    }

    let code: TeacherError.Code
    let problem: String
    let remedy: Remedy

    /// The answer's status is not 200.
    init(_ response: WebResponse) {
        let said = ChatCompletion.serverMessage(in: response.body)
        let code = (try? JSON.parse(response.body))?["error"].flatMap { $0["code"]?.string ?? $0["type"]?.string }
        let wait = response[header: "Retry-After"].flatMap { RetryAfter.parse($0, date: response[header: "Date"]) }
        let hint: String
        switch response.status {
        case 429 where code == "insufficient_quota":
            remedy = .giveUp
            hint = "; the account has no credit left"
        case 429:
            remedy = .yield(after: wait)
            hint = "; allow fewer requests with concurrency, requests-per-minute or tokens-per-minute"
        case 503, 529:
            remedy = .yield(after: wait)
            hint = ""
        case 408, 409, 425, 500...599:
            remedy = .retry(after: wait)
            hint = ""
        case 300...399:
            remedy = .giveUp
            hint = "; redirects are not followed: give the URL that it redirects to"
        case 400:
            remedy = .giveUp
            hint =
                code == "context_length_exceeded" || said.contains("context")
                ? "; shorten the prompt, lower max-tokens, or drop the question" : ""
        case 401, 403:
            remedy = .giveUp
            hint = "; check the key that key-env or key-file names, and what it allows"
        case 404:
            remedy = .giveUp
            hint = "; check the URL and the model's name"
        default:
            remedy = .giveUp
            hint = ""
        }
        self.code = remedy == .giveUp ? .refused : .unavailable
        problem = "the server answered \(response.status): \(said)\(hint)"
    }

    /// No answer came.
    init(_ failure: WebFailure) {
        switch failure.kind {
        case .tooLarge:
            code = .malformed
            remedy = .giveUp
            problem =
                "the answer has more than \(ChatService.bodyLimit >> 20) MiB; lower max-tokens, and check that the URL"
                + " names a chat endpoint"
        case .malformedAnswer, .tls, .redirected:
            code = .unavailable
            remedy = .giveUp
            problem = "\(failure.problem); \(failure.remedy)"
        case .firstByteTimeout, .totalTimeout:
            code = .unavailable
            remedy = .retry(after: nil)
            problem = "\(failure.problem); allow more time with first-byte-timeout and timeout, or less concurrency"
        default:
            code = .unavailable
            remedy = failure.isTransient ? .retry(after: failure.retryAfter) : .giveUp
            problem = "\(failure.problem); \(failure.remedy)"
        }
    }

    init(_ malformed: ChatCompletion.Malformed) {
        code = .malformed
        remedy = .retryOnce
        problem = malformed.description
    }

    /// Whether a server may have done the work although its answer did not arrive.
    static func mayHaveBeenPaid(_ error: any Error) -> Bool {
        switch (error as? WebFailure)?.kind {
        case .firstByteTimeout, .totalTimeout, .idleTimeout, .connectionLost, .tooLarge, .malformedAnswer: true
        default: error is CancellationError
        }
    }

    /// What the gate learns from it.
    var outcome: EndpointBudget.Outcome {
        if case .yield(let wait) = remedy { .overloaded(retryAfter: wait) } else { .failed }
    }
}

/// Counts the attempts at one request, and says whether there is another one and when.
struct Attempts: Sendable {
    private let policy: RetryPolicy
    private let patient: RetryPolicy
    private(set) var failed = 0
    private var yielded = 0
    private var malformed = 0

    /// - Parameter count: attempts; a busy endpoint gets four times as many.
    init(_ count: Int) {
        policy = RetryPolicy(attempts: count)
        patient = RetryPolicy(attempts: count == 1 ? 1 : count * 4)
    }

    /// Attempts made.
    var made: Int { failed + yielded }

    /// The wait before the next attempt; nil when there is none.
    mutating func delay(after failure: ServiceFailure, draw: Double) -> Duration? {
        switch failure.remedy {
        case .giveUp:
            failed += 1
            return nil
        case .retry(let wait):
            failed += 1
            return policy.delay(after: failed, retryAfter: wait, draw: draw)
        case .yield(let wait):
            yielded += 1
            return patient.delay(after: yielded, retryAfter: wait, draw: draw)
        case .retryOnce:
            failed += 1
            malformed += 1
            return malformed > 1 ? nil : policy.delay(after: failed, draw: draw)
        }
    }
}
