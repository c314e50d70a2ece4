import NIOCore
import NIOHTTP1

/// One request and its answer, which is held in memory.
///
/// Sendable unchecked: once it has been started it is used on its pool's event loop alone.
final class Exchange: @unchecked Sendable, Equatable {
    /// What to keep of the answer's body.
    enum Bound: Sendable {
        /// All of it, whatever the status; more is an error.
        case all(Int)
        /// All of a successful answer; of another one as much of the beginning as helps to understand it.
        case successful(Int)

        var limit: Int {
            switch self {
            case .all(let limit), .successful(let limit): limit
            }
        }
    }

    struct Answer: Sendable {
        var head: HTTPResponseHead
        var pieces: [ByteBuffer] = []
        var bytes = 0

        var isSuccess: Bool { (200..<300).contains(Int(head.status.code)) }

        func response(withBody hasBody: Bool) -> WebResponse {
            var body: [UInt8] = []
            if hasBody {
                body.reserveCapacity(bytes)
                for piece in pieces { body.append(contentsOf: piece.readableBytesView) }
            }
            return WebResponse(
                status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) }, body: body)
        }
    }

    enum Body {
        case none
        case whole(ByteBuffer)
        /// Read while it is sent.
        case file(path: String, offset: Int, count: Int)
    }

    let request: WebRequest
    let body: Body
    private let bound: Bound
    private var watchdog: Watchdog
    private var answer: Answer?
    private var continuation: CheckedContinuation<Answer, any Error>?
    private(set) var isOver = false
    /// What carries it now.
    weak var connection: Connection?

    /// - Throws: ``Upload/Unreadable``
    init(_ request: WebRequest, _ bound: Bound, _ limits: TimeLimits) throws {
        self.request = request
        self.bound = bound
        body =
            switch request.body {
            case .none: .none
            case .bytes(let bytes): .whole(ByteBuffer(bytes: bytes))
            case .file(let path, let offset, let count) where count > WebClient.largestBuffer:
                .file(path: path, offset: offset, count: count)
            case .file(let path, let offset, let count):
                .whole(try Upload.whole(path: path, offset: offset, count: count))
            }
        let isStreamed = if case .file = body { true } else { false }
        watchdog = Watchdog(limits, hasStreamedBody: isStreamed, start: .now)
    }

    static func == (left: Exchange, right: Exchange) -> Bool { left === right }

    /// Returns false for one that was ended before it could start.
    func start(_ continuation: CheckedContinuation<Answer, any Error>) -> Bool {
        guard !isOver else {
            continuation.resume(throwing: CancellationError())
            return false
        }
        self.continuation = continuation
        return true
    }

    /// Ends it; the first end counts.
    func end(_ result: Result<Answer, any Error>) {
        isOver = true
        continuation?.resume(with: result)
        continuation = nil
    }

    /// The limit that is over by then, if one is.
    func expiry(at time: ContinuousClock.Instant) -> Watchdog.Expiry? { watchdog.expiry(at: time) }

    /// A piece of the body has gone.
    func sent(isLast: Bool) { watchdog.sent(at: .now, isLast: isLast) }

    // MARK: What comes

    /// - Throws: ``WebFailure`` for an answer that says it is too large.
    func receive(_ head: HTTPResponseHead) throws {
        watchdog.received(at: .now)
        let answer = Answer(head: head)
        self.answer = answer
        let isBounded = if case .successful = bound { answer.isSuccess } else { true }
        if request.method != .head, isBounded, let length = head.headers.first(name: "Content-Length"),
            let bytes = Int(length), bytes > bound.limit
        {
            throw request.tooLarge(bound.limit)
        }
    }

    /// Returns whether enough is there, though more may come.
    ///
    /// - Throws: ``WebFailure`` for an answer that is too large.
    func receive(_ piece: ByteBuffer) throws -> Bool {
        watchdog.received(at: .now)
        guard var answer else { return false }
        self.answer = nil
        defer { self.answer = answer }
        var piece = piece
        var isEnough = false
        if case .successful = bound, !answer.isSuccess {
            let left = WebClient.beginningBytes - answer.bytes
            isEnough = piece.readableBytes >= left
            piece = piece.readSlice(length: min(left, piece.readableBytes)) ?? piece
        } else if answer.bytes + piece.readableBytes > bound.limit {
            throw request.tooLarge(bound.limit)
        }
        answer.bytes += piece.readableBytes
        answer.pieces.append(piece)
        return isEnough
    }

    /// The answer is there, as far as it is wanted.
    func finish() {
        if let answer { end(.success(answer)) } else { end(.failure(request.lost)) }
    }
}
