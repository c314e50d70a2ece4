import CanonicalJSON

/// An OpenAI-compatible teacher, as a pipeline file describes it.
///
/// ``endpoint``, ``model`` and ``extra`` decide answers and are part of every key. The rest only decides how fast, how
/// patiently and at what price they are got, and is part of none.
public struct ChatTeacherParameters: Sendable, Equatable {
    /// How requests travel.
    public enum Mode: String, Sendable, CaseIterable {
        /// One HTTP request a question.
        case chat
        /// The batch API: a file of questions, and a file of answers within a day.
        case batch
    }

    public var endpoint: ChatEndpoint
    public var model: String
    /// Members of the request beside those that Retort writes itself, such as `frequency_penalty`.
    public var extra: JSONObject
    public var mode: Mode
    public var key: KeySource
    public var limits: EndpointBudget.Limits
    public var timeouts: Timeouts
    /// Attempts at one request, the first included.
    public var attempts: Int
    public var prices: TokenPrices?
    /// A file of PEM certificates to trust beside the system's.
    public var certificates: String?
    /// Between two looks at a batch.
    public var pollInterval: Duration

    public struct Timeouts: Sendable, Equatable {
        /// Until the connection stands, TLS included.
        public var connect: Duration
        /// From then until the answer begins.
        public var firstByte: Duration
        /// For one attempt as a whole.
        public var total: Duration

        public init(
            connect: Duration = .seconds(10), firstByte: Duration = .seconds(300), total: Duration = .seconds(600)
        ) {
            self.connect = connect
            self.firstByte = firstByte
            self.total = total
        }
    }

    public init(
        endpoint: ChatEndpoint, model: String, extra: JSONObject = JSONObject(), mode: Mode = .chat,
        key: KeySource = .none, limits: EndpointBudget.Limits = EndpointBudget.Limits(),
        timeouts: Timeouts = Timeouts(), attempts: Int = 6, prices: TokenPrices? = nil, certificates: String? = nil,
        pollInterval: Duration = .seconds(30)
    ) {
        self.endpoint = endpoint
        self.model = model
        self.extra = extra
        self.mode = mode
        self.key = key
        self.limits = limits
        self.timeouts = timeouts
        self.attempts = attempts
        self.prices = prices
        self.certificates = certificates
        self.pollInterval = pollInterval
    }

    /// What enters keys: see ``Teacher/identity``.
    public var identity: JSON {
        [
            "kind": "openai", "url": .string(endpoint.description), "model": .string(model), "extra": .object(extra),
        ]
    }
}

/// What tokens cost.
public struct TokenPrices: Sendable, Equatable {
    /// US dollars for a million tokens of prompts.
    public var prompt: Double
    /// US dollars for a million tokens of answers.
    public var completion: Double

    public init(prompt: Double, completion: Double) {
        self.prompt = prompt
        self.completion = completion
    }

    /// US dollars.
    public func cost(of usage: TeacherResponse.Usage) -> Double {
        (Double(usage.promptTokens) * prompt + Double(usage.completionTokens) * completion) / 1_000_000
    }
}
