/// A request as the server's logic sees it.
struct ServerRequest: Sendable {
    var method: String
    /// Without the query.
    var path: String
    var authorization: String?
    var contentType: String?
    var body: [UInt8]
}

/// An answer, before it goes on the wire.
struct ServerResponse: Sendable {
    /// How much of the answer is sent.
    enum Delivery: Sendable {
        case whole
        case nothing
        /// Half of the body, under the length of the whole.
        case half
    }

    var status: Int
    var contentType = "application/json"
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]
    /// In milliseconds.
    var delay = 0
    var delivery = Delivery.whole

    init(status: Int = 200, contentType: String = "application/json", body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}
