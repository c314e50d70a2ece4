import ContentStore
import Glibc
import HTTPTransport

/// Requests of a storage over HTTP: tried again as configured, said as failures of the tier.
struct WebTransfer: Sendable {
    let client: WebClient
    let patience: WebClient.Patience
    let tier: String
    /// Adds what proves who asks. Called for each attempt, because signatures age.
    let authorize: @Sendable (WebRequest) throws -> WebRequest
    /// What a failure means to this kind of server; nil where the usual words do.
    let explain: @Sendable (WebFailure) -> TierError?

    /// - Parameter accepting: statuses besides 2xx that are answers.
    func send(
        _ request: WebRequest, limit: Int = 1 << 20, accepting: Set<Int> = []
    ) async throws -> WebResponse {
        try await saying {
            try await WebClient.retrying(patience) {
                let request = try authorize(request)
                let response = try await client.send(request, limit: limit)
                guard response.isSuccess || accepting.contains(response.status) else {
                    throw WebClient.failure(of: response, to: request)
                }
                return response
            }
        }
    }

    /// Writes the answer to a new file at `path`. Returns whether there was something (404 is nothing).
    ///
    /// - Parameter check: sees what is written.
    func download(
        _ request: WebRequest, limit: Int, to path: String, check: IncomingBlob? = nil
    ) async throws -> Bool {
        try await saying {
            try await WebClient.retrying(patience) {
                let request = try authorize(request)
                let sink = try FileSink(path)
                check?.restart()
                do {
                    let response = try await client.download(request, limit: limit) { bytes in
                        try sink.write(bytes)
                        check?.receive(bytes)
                    }
                    guard response.isSuccess || response.status == 404 else {
                        throw WebClient.failure(of: response, to: request)
                    }
                    if response.status == 404 { _ = unlink(path) }
                    return response.status != 404
                } catch {
                    _ = unlink(path)
                    throw error
                }
            }
        }
    }

    private func saying<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let failure as WebFailure {
            throw explain(failure) ?? error(for: failure)
        }
    }

    private func error(for failure: WebFailure) -> TierError {
        let code: TierError.Code =
            switch failure.kind {
            case .status(401), .status(403), .status(405), .status(407), .tls: .refused
            case .status(404): .missing
            case .tooLarge: .damaged
            case .redirected, .malformedAnswer: .malformed
            default: .unreachable
            }
        return TierError(code, tier, "\(failure.request): \(failure.problem)", remedy: failure.remedy)
    }
}

/// A new file that is written piece by piece.
///
/// Sendable unchecked: a download hands over its pieces one at a time.
private final class FileSink: @unchecked Sendable {
    /// How much of a large file is handed to the disk at a time, while the rest still arrives.
    private static let stride = 8 << 20

    private let descriptor: Int32
    private let path: String
    private var written = 0
    private var started = 0

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileSystem.failure("creating", path) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try FileSystem.write(bytes, to: descriptor, path)
        written += bytes.count
        guard written - started >= Self.stride else { return }
        FileSystem.startWriting(descriptor, offset: started, count: written - started)
        started = written
    }
}
