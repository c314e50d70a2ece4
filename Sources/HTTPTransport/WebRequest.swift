/// A request that can be sent again: its body is in memory or in a file.
public struct WebRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// `count` bytes of a file, from `offset` on: read while they are sent, with bounded memory.
        case file(path: String, offset: Int, count: Int)

        public var count: Int {
            switch self {
            case .none: 0
            case .bytes(let bytes): bytes.count
            case .file(_, _, let count): count
            }
        }
    }

    public var method: Method
    public var address: WebAddress
    /// None of them is ever shown.
    public var headers: [(name: String, value: String)]
    public var body: Body

    public init(
        _ method: Method, _ address: WebAddress, headers: [(name: String, value: String)] = [], body: Body = .none
    ) {
        self.method = method
        self.address = address
        self.headers = headers
        self.body = body
    }

    /// A JSON document to post.
    public static func postJSON(
        _ document: [UInt8], to address: WebAddress, headers: [(name: String, value: String)] = [],
        credential: Credential? = nil
    ) -> WebRequest {
        var request = WebRequest(
            .post, address, headers: [("Content-Type", "application/json")] + headers, body: .bytes(document))
        if let credential { request.authorize(credential) }
        return request
    }

    public mutating func authorize(_ credential: Credential) {
        headers.append(("Authorization", credential.headerValue))
    }
}

/// What a server answered.
public struct WebResponse: Sendable {
    public let status: Int
    public let headers: [(name: String, value: String)]
    /// Empty after a download, whose bytes went to the sink.
    public let body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public var isSuccess: Bool { (200..<300).contains(status) }

    /// The first header of that name, in whatever case it is written.
    public subscript(header name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }
}
