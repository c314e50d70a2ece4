/// Why a request gave nothing, in words that hold no secret: no header, no query, no user information.
public struct WebFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        case unknownHost
        /// Nobody listens there.
        case refused
        case connectTimeout
        case firstByteTimeout
        case idleTimeout
        case totalTimeout
        /// The connection ended before the answer did.
        case connectionLost
        /// The server's certificate is not trusted, or it speaks no TLS.
        case tls
        case redirected
        /// The answer is larger than what the caller accepts.
        case tooLarge
        /// What came is no HTTP, or no answer to this request.
        case malformedAnswer
        case status(Int)
    }

    public let kind: Kind
    /// Method and address, without the query.
    public let request: String
    public let problem: String
    /// What to do about it.
    public let remedy: String
    /// What the server asked to wait, at most ``RetryAfter/longest``.
    public let retryAfter: Duration?
    /// The beginning of an error answer's body. It is the server's text: not part of ``description``.
    public let body: [UInt8]

    public init(
        _ kind: Kind, request: String, problem: String, remedy: String, retryAfter: Duration? = nil, body: [UInt8] = []
    ) {
        self.kind = kind
        self.request = request
        self.problem = problem
        self.remedy = remedy
        self.retryAfter = retryAfter
        self.body = body
    }

    public var description: String { "\(request): \(problem); \(remedy)" }

    /// Whether the same request may succeed later: faults of the network, 408, 425, 429 and 5xx but 501 and 505.
    public var isTransient: Bool {
        switch kind {
        case .unknownHost, .refused, .connectTimeout, .firstByteTimeout, .idleTimeout, .totalTimeout, .connectionLost:
            true
        case .tls, .redirected, .tooLarge, .malformedAnswer: false
        case .status(let status): WebFailure.isTransient(status: status)
        }
    }

    public static func isTransient(status: Int) -> Bool {
        switch status {
        case 408, 425, 429: true
        case 501, 505: false
        default: (500..<600).contains(status)
        }
    }

    /// The failure that an answer of another status than expected is.
    public init(_ request: WebRequest, answered response: WebResponse) {
        let status = response.status
        let remedy =
            switch status {
            case 401, 403: "check the credentials for \(request.address.authority) and what they allow"
            case 404, 410: "check the path in the URL"
            case 405, 501: "the server does not allow \(request.method.rawValue) there: check its configuration"
            case 411, 413: "raise the server's limit for request bodies"
            case 429: "send fewer requests, or wait"
            case 507: "free some space on the server"
            case 500...: "the server is at fault: see its log"
            default: "see the server's log"
            }
        self.init(
            .status(status), request: request.label, problem: "the server answered \(status)", remedy: remedy,
            retryAfter: response[header: "Retry-After"].flatMap {
                RetryAfter.parse($0, date: response[header: "Date"])
            },
            body: Array(response.body.prefix(64 << 10)))
    }
}

extension WebRequest {
    /// For messages: method and address, without the query.
    var label: String { "\(method.rawValue) \(address)" }

    func failure(_ kind: WebFailure.Kind, _ problem: String, _ remedy: String) -> WebFailure {
        WebFailure(kind, request: label, problem: problem, remedy: remedy)
    }
}
