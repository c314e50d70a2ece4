import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

/// One request and its answer, each whole in memory, carried out on one event loop.
///
/// The library's asynchronous interface streams, and pays for that with several changes of thread a request: more than
/// a small blob itself costs. Here the caller goes to the loop once and comes back once.
final class WholeExchange: HTTPClientResponseDelegate {
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

    /// Ends a request of whose answer enough is there.
    private struct Enough: Error {}

    private let request: WebRequest
    private let bound: Bound
    private let watched: WatchedRequest
    private let answer: NIOLoopBoundBox<Answer?>

    private init(_ request: WebRequest, _ bound: Bound, _ watched: WatchedRequest, on loop: any EventLoop) {
        self.request = request
        self.bound = bound
        self.watched = watched
        answer = NIOLoopBoundBox(nil, eventLoop: loop)
    }

    /// - Throws: What the client throws, or ``WebFailure`` for an answer that is too large.
    static func perform(
        _ request: WebRequest, _ made: HTTPClient.Request, _ bound: Bound, with client: HTTPClient,
        _ watched: WatchedRequest
    ) async throws -> Answer {
        let loop = client.eventLoopGroup.next()
        return try await withCheckedThrowingContinuation { continuation in
            // From the loop itself, nothing that follows has to wake it.
            loop.execute {
                let exchange = WholeExchange(request, bound, watched, on: loop)
                let task = client.execute(request: made, delegate: exchange, eventLoop: .delegate(on: loop))
                watched.onEnd { task.cancel() }
                task.futureResult.whenComplete { result in
                    if case .failure(is Enough) = result, let answer = exchange.answer.value {
                        continuation.resume(returning: answer)
                    } else {
                        continuation.resume(with: result)
                    }
                }
            }
        }
    }

    // MARK: HTTPClientResponseDelegate, on the loop

    func didReceiveHead(task: HTTPClient.Task<Answer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        watched.received()
        let answer = Answer(head: head)
        self.answer.value = answer
        let isBounded = if case .successful = bound { answer.isSuccess } else { true }
        if request.method != .head, isBounded, let length = head.headers.first(name: "Content-Length"),
            let bytes = Int(length), bytes > bound.limit
        {
            return task.eventLoop.makeFailedFuture(request.tooLarge(bound.limit))
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Answer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        watched.received()
        guard var answer = answer.value else { return task.eventLoop.makeSucceededVoidFuture() }
        var buffer = buffer
        var problem: (any Error)?
        if case .successful = bound, !answer.isSuccess {
            let left = WebClient.beginningBytes - answer.bytes
            if buffer.readableBytes >= left { problem = Enough() }
            buffer = buffer.getSlice(at: buffer.readerIndex, length: min(left, buffer.readableBytes)) ?? buffer
        } else if answer.bytes + buffer.readableBytes > bound.limit {
            return task.eventLoop.makeFailedFuture(request.tooLarge(bound.limit))
        }
        answer.bytes += buffer.readableBytes
        self.answer.value = nil
        answer.pieces.append(buffer)
        self.answer.value = answer
        return problem.map { task.eventLoop.makeFailedFuture($0) } ?? task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<Answer>) throws -> Answer {
        guard let answer = answer.value else { throw HTTPClientError.remoteConnectionClosed }
        return answer
    }
}
