import CanonicalJSON
import StageGraph
import Teachers

/// The parameters of `kind: openai`. What is not keyed only decides how fast, how patiently and at what price answers
/// are got.
extension ChatTeacherParameters {
    static let declared = [
        Parameter("url", .string, "The base URL of a chat completions API, such as http://127.0.0.1:8000/v1."),
        Parameter("model", .string, "The model's name there."),
        Parameter("extra", .dictionary(.any), default: [:], "Further members of each request."),
        Parameter(
            "mode", .choice(Mode.allCases.map(\.rawValue)), default: "chat", isKeyed: false,
            "batch sends files of questions to the batch API."),
        Parameter("key-env", .string, default: .null, isKeyed: false, "The environment variable with the API key."),
        Parameter("key-file", .localPath, default: .null, isKeyed: false, "A file with the API key."),
        Parameter("concurrency", .positiveInteger, default: 16, isKeyed: false, "Requests under way at once, at most."),
        Parameter(
            "requests-per-minute", .positiveNumber, default: .null, isKeyed: false, "Requests a minute, at most."),
        Parameter("tokens-per-minute", .positiveNumber, default: .null, isKeyed: false, "Tokens a minute, at most."),
        Parameter(
            "attempts", .positiveInteger, default: 6, isKeyed: false, "Attempts at each request, the first included."),
        Parameter(
            "connect-timeout", .positiveNumber, default: 10, isKeyed: false, "Seconds until the connection stands."),
        Parameter(
            "first-byte-timeout", .positiveNumber, default: 300, isKeyed: false, "Seconds until the answer begins."),
        Parameter("timeout", .positiveNumber, default: 600, isKeyed: false, "Seconds for one attempt as a whole."),
        Parameter(
            "prices",
            .object([
                Parameter("prompt", .nonNegativeNumber, isKeyed: false, "US dollars for a million tokens of prompts."),
                Parameter(
                    "completion", .nonNegativeNumber, isKeyed: false, "US dollars for a million tokens of answers."),
            ]), default: .null, isKeyed: false, "What tokens cost."),
        Parameter(
            "certificates", .localPath, default: .null, isKeyed: false,
            "A PEM file of authorities to trust beside the system's."),
        Parameter(
            "poll-interval", .positiveNumber, default: 30, isKeyed: false, "Seconds between two looks at a batch."),
    ]

    /// - Parameter object: a value of ``declared``.
    /// - Throws: ``InvalidParameters``.
    init(declared object: JSONObject) throws(InvalidParameters) {
        func invalid(_ problem: String) -> InvalidParameters { InvalidParameters(problem, parameter: "teacher") }
        let endpoint: ChatEndpoint
        do {
            endpoint = try ChatEndpoint(object["url"]!.string!)
        } catch {
            throw invalid("\"teacher.url\" \(error.problem)")
        }
        let extra = object["extra"]!.object!
        if let own = extra.keys.first(where: ChatCompletionRequest.ownMembers.contains) {
            throw invalid("\"teacher.extra\" cannot hold \"\(own)\", which Retort writes itself from other parameters")
        }
        let key: KeySource
        switch (object["key-env"]?.string, object["key-file"]?.string) {
        case (nil, nil): key = .none
        case (let name?, nil): key = .environment(name)
        case (nil, let path?): key = .file(path)
        case (.some, .some): throw invalid("\"teacher\" takes key-env or key-file, not both")
        }
        func number(_ name: String) -> Double { object[name]!.double! }
        let prices = object["prices"]?.object.map {
            TokenPrices(prompt: $0["prompt"]!.double!, completion: $0["completion"]!.double!)
        }
        self.init(
            endpoint: endpoint, model: object["model"]!.string!, extra: extra,
            mode: Mode(rawValue: object["mode"]!.string!)!, key: key,
            limits: EndpointBudget.Limits(
                concurrency: object["concurrency"]!.integer!,
                requestsPerMinute: object["requests-per-minute"]?.double,
                tokensPerMinute: object["tokens-per-minute"]?.double),
            timeouts: Timeouts(
                connect: .seconds(number("connect-timeout")), firstByte: .seconds(number("first-byte-timeout")),
                total: .seconds(number("timeout"))),
            attempts: object["attempts"]!.integer!, prices: prices, certificates: object["certificates"]?.string,
            pollInterval: .seconds(number("poll-interval")))
    }
}
