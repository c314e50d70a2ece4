import CanonicalJSON
import HTTPTransport
import Synchronization
import Teachers

/// One model behind one endpoint, as all stages of a process see it: one gate, one set of connections, one key.
///
/// The first request goes alone: when the key, the URL or the model's name is wrong, that is found out once and not by
/// as many requests as may be in flight.
public final class ChatService: Sendable {
    /// The largest body that is read. An answer of 2048 tokens has some 10 kB.
    public static let bodyLimit = 16 << 20
    /// Files of batches may be larger.
    public static let fileLimit = 512 << 20

    public let endpoint: ChatEndpoint
    public let model: String
    public let gate: EndpointGate
    let first = FirstRequest()
    private let client: WebClient
    private let keySource: KeySource
    private let key = Mutex<Result<String?, KeySourceError>?>(nil)

    public init(_ parameters: ChatTeacherParameters, gate: EndpointGate) {
        endpoint = parameters.endpoint
        model = parameters.model
        keySource = parameters.key
        self.gate = gate
        let timeouts = parameters.timeouts
        client = WebClient(
            WebClient.Settings(
                limits: TimeLimits(
                    connect: timeouts.connect, firstByte: timeouts.firstByte, idle: timeouts.firstByte,
                    total: timeouts.total),
                connections: max(8, parameters.limits.concurrency),
                certificateAuthorities: parameters.certificates))
    }

    /// One attempt. Whatever its status, an answer is an answer here.
    ///
    /// - Throws: ``TeacherError`` of the code `configuration` when the key cannot be had, `WebFailure` when no answer
    ///   came, `CancellationError`.
    func send(
        _ method: WebRequest.Method, _ resource: String, query: String? = nil, body: [UInt8]? = nil,
        contentType: String = "application/json", limit: Int = ChatService.bodyLimit
    ) async throws -> WebResponse {
        var address = try WebAddress.parse(endpoint.url(resource)).address
        if let query { address.query = address.query.map { "\($0)&\(query)" } ?? query }
        var request = WebRequest(method, address, headers: [("Accept", "application/json"), ("User-Agent", "retort")])
        if let body {
            request.headers.append(("Content-Type", contentType))
            request.body = .bytes(body)
        }
        if let key = try apiKey() { request.authorize(.bearer(token: key)) }
        return try await client.send(request, limit: limit)
    }

    /// Asks for the list of models, which nobody charges for. Returns the HTTP status.
    ///
    /// - Throws: as a request for an answer, where none came.
    public func probe() async throws -> Int { try await send(.get, "models").status }

    private func apiKey() throws -> String? {
        try key.withLock { key in
            if let known = key { return try known.get() }
            let read = Result { () throws(KeySourceError) in try keySource.read() }
            key = read
            return try read.get()
        }
    }

    /// A text of the server's without the key, should the server repeat it.
    func redacted(_ text: String) -> String {
        guard case .success(let key?)?? = Optional(key.withLock({ $0 })), key.utf8.count >= 4 else { return text }
        return text.replacing(key, with: "[key]")
    }
}
