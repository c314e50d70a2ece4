import Teachers

/// What a teacher server serves, and how badly.
public struct ServerSettings: Sendable {
    /// 0 takes a free one.
    public var port: Int
    /// The name it answers to; requests for another model are refused with 404.
    public var model: String
    public var teacher: SyntheticTeacherParameters
    /// Before each answer, in milliseconds.
    public var latency: Int
    /// The key that requests have to bring; nil for none.
    public var key: String?
    public var faults: [FaultRule]
    /// Requests in flight beyond this many are turned away with 429.
    public var concurrency: Int?
    /// Requests a minute; they are counted, turned away beyond it, and announced in headers.
    public var requestsPerMinute: Int?
    /// Between the creation of a batch and its end, in milliseconds.
    public var batchDelay: Int

    public init(
        port: Int = 0, model: String = "synthetic", teacher: SyntheticTeacherParameters = SyntheticTeacherParameters(),
        latency: Int = 0, key: String? = nil, faults: [FaultRule] = [], concurrency: Int? = nil,
        requestsPerMinute: Int? = nil, batchDelay: Int = 0
    ) {
        self.port = port
        self.model = model
        self.teacher = teacher
        self.latency = latency
        self.key = key
        self.faults = faults
        self.concurrency = concurrency
        self.requestsPerMinute = requestsPerMinute
        self.batchDelay = batchDelay
    }
}
