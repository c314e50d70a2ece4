import Synchronization
import TestServers
import Testing

@testable import HTTPTransport

/// The client against a server that misbehaves on purpose.
@Suite struct WebClientTests {
    private let client = WebClient()

    private func address(_ server: HTTPTestServer, _ path: String = "/x") throws -> WebAddress {
        try WebAddress.parse(server.url + path).address
    }

    private func failure(
        of server: HTTPTestServer, limit: Int = 1 << 20, limits: TimeLimits = TimeLimits()
    ) async throws -> WebFailure {
        let client = WebClient(.init(limits: limits))
        let request = WebRequest(.get, try address(server))
        let failure = await #expect(throws: WebFailure.self) { try await client.send(request, limit: limit) }
        return try #require(failure)
    }

    @Test func anAnswerComesBackWholeAndTheRequestArrivesAsSent() async throws {
        let server = try HTTPTestServer { request in
            .init(201, headers: [("X-Seen", request[header: "X-Mine"] ?? "")], body: request.body)
        }
        let request = WebRequest(
            .post, try address(server, "/a?b=c"), headers: [("X-Mine", "1")], body: .bytes([1, 2, 3]))
        let response = try await client.send(request, limit: 3)
        #expect(response.status == 201)
        #expect(response.body == [1, 2, 3])
        #expect(response[header: "x-seen"] == "1")
        #expect(server.requests.map(\.target) == ["/a?b=c"])
    }

    @Test func largeAnswersAreRefusedWhetherOrNotTheySaySo() async throws {
        let server = try HTTPTestServer { _ in .init(200, body: Array(repeating: 7, count: 100)) }
        let failure = try await failure(of: server, limit: 99)
        #expect(failure.kind == .tooLarge)
        #expect(!failure.isTransient)
        let chunked = try HTTPTestServer { _ in
            .init(200, headers: [("Content-Length", "50")], body: Array(repeating: 7, count: 100))
        }
        #expect(try await self.failure(of: chunked, limit: 49).kind == .tooLarge)
    }

    @Test func truncatedAnswersAreTransientFailures() async throws {
        let server = try HTTPTestServer { _ in
            .init(200, body: Array(repeating: 7, count: 100_000), delivery: .cutOff(after: 500))
        }
        let failure = try await failure(of: server)
        #expect(failure.kind == .connectionLost)
        #expect(failure.isTransient)
        #expect(
            failure.description == """
                GET \(server.url)/x: the connection ended before the answer was complete; check the server's log and \
                the network
                """)
    }

    @Test func silenceAndStandstillAreToldApart() async throws {
        let silent = try HTTPTestServer { _ in .init(200, delivery: .never) }
        let impatient = TimeLimits(connect: .seconds(1), firstByte: .milliseconds(100))
        #expect(try await failure(of: silent, limits: impatient).kind == .firstByteTimeout)
        let stopping = try HTTPTestServer { _ in
            .init(200, body: Array(repeating: 7, count: 10), delivery: .slow(pieces: 2, pause: .seconds(30)))
        }
        #expect(try await failure(of: stopping, limits: TimeLimits(idle: .milliseconds(100))).kind == .idleTimeout)
    }

    @Test func nobodyListeningAndUnknownHostsAreSaid() async throws {
        let server = try HTTPTestServer { _ in .init(200) }
        server.stop()
        let refused = try await failure(of: server)
        #expect(refused.kind == .refused)
        #expect(
            refused.description == """
                GET \(server.url)/x: nothing listens at 127.0.0.1:\(server.port); start the server, or check host and \
                port in the URL
                """)
        let unknown = WebRequest(.get, WebAddress(scheme: .http, host: "no-such-host.invalid"))
        let failure = await #expect(throws: WebFailure.self) { try await client.send(unknown, limit: 1) }
        #expect(failure?.kind == .unknownHost)
    }

    @Test func redirectsAreNotFollowedAndSaid() async throws {
        let target = try HTTPTestServer { _ in .init(200) }
        let server = try HTTPTestServer { _ in .init(302, headers: [("Location", "\(target.url)/y?secret=1")]) }
        let request = WebRequest(.get, try address(server))
        let failure = await #expect(throws: WebFailure.self) {
            try await client.send(request, limit: 10, patience: .init(RetryPolicy(attempts: 1)))
        }
        #expect(failure?.kind == .redirected)
        #expect(
            failure?.problem == "the server redirects to \(target.url), and redirects are not followed")
        #expect(target.requests.isEmpty)
    }

    @Test func whatSpeaksNoHttpIsAMalformedAnswer() async throws {
        let server = try HTTPTestServer { _ in .init(200) }
        // TLS spoken to a plain server.
        let request = WebRequest(.get, WebAddress(scheme: .https, host: "127.0.0.1", port: server.port))
        let failure = await #expect(throws: WebFailure.self) { try await client.send(request, limit: 10) }
        #expect(failure?.kind == .tls || failure?.kind == .connectionLost, "\(String(describing: failure))")
    }

    @Test func transientFailuresAreTriedAgainAsThePolicySays() async throws {
        let answers = Mutex([
            HTTPTestServer.Reply(503, headers: [("Retry-After", "9")]), .init(200, delivery: .none), .init(429),
            .init(200, body: [42]),
        ])
        let server = try HTTPTestServer { _ in answers.withLock { $0.removeFirst() } }
        let waits = Mutex<[Duration]>([])
        let policy = RetryPolicy(attempts: 4, firstDelay: .seconds(1), longestDelay: .seconds(3))
        let patience = WebClient.Patience(policy, sleep: { wait in waits.withLock { $0.append(wait) } }, draw: { 0.5 })
        let response = try await client.send(WebRequest(.get, try address(server)), limit: 10, patience: patience)
        #expect(response.body == [42])
        #expect(waits.withLock { $0 } == [.seconds(9), .seconds(1), .seconds(1.5)])
    }

    @Test func finalFailuresAreNotTriedAgainAndHoldNoSecret() async throws {
        let server = try HTTPTestServer { _ in .init(403, body: Array("denied".utf8)) }
        let request = WebRequest.postJSON(
            [1], to: try address(server, "/x?signature=abc"), credential: .bearer(token: "hush"))
        let failure = await #expect(throws: WebFailure.self) {
            try await client.send(request, limit: 10, patience: .init())
        }
        #expect(server.requests.count == 1)
        #expect(server.requests[0][header: "Authorization"] == "Bearer hush")
        #expect(
            failure?.description == """
                POST \(server.url)/x: the server answered 403; check the credentials for 127.0.0.1:\(server.port) and \
                what they allow
                """)
        #expect(failure?.body == Array("denied".utf8))
    }

    /// Small ones in one piece, large ones as they are read.
    @Test(arguments: [0, 550_000, 1 << 20, 3_500_000])
    func filesAreSentFromTheirOffset(count: Int) async throws {
        let file = try TemporaryFile((0..<count + 5000).map { UInt8(truncatingIfNeeded: $0 / 251) })
        let server = try HTTPTestServer { .init(200, body: $0.body) }
        let request = WebRequest(.put, try address(server), body: .file(path: file.path, offset: 1000, count: count))
        for _ in 0..<2 {
            let response = try await client.send(request, limit: 4 << 20)
            #expect(response.body == Array(file.bytes[1000..<1000 + count]))
        }
        #expect(server.requests.map { $0[header: "Content-Length"] } == ["\(count)", "\(count)"])
    }

    @Test(arguments: [1_000, 3_500_000])
    func aFileThatHasBecomeShorterIsNotSentAsIfItWereWhole(count: Int) async throws {
        let file = try TemporaryFile([UInt8](repeating: 1, count: count - 1))
        let server = try HTTPTestServer { _ in .init(200) }
        let request = WebRequest(.put, try address(server), body: .file(path: file.path, offset: 0, count: count))
        let failure = await #expect(throws: WebFailure.self) { try await client.send(request, limit: 10) }
        #expect(failure?.problem == "the file \(file.path) could not be sent: it is shorter than it was")
        let missing = WebRequest(.put, try address(server), body: .file(path: "/no/file", offset: 0, count: count))
        let other = await #expect(throws: WebFailure.self) { try await client.send(missing, limit: 10) }
        #expect(other?.problem == "the file /no/file could not be sent: No such file or directory")
        #expect(server.requests.isEmpty)
    }

    @Test func anAnswerBeforeTheWholeFileWasTakenIsTheAnswer() async throws {
        let file = try TemporaryFile([UInt8](repeating: 1, count: 64 << 20))
        let server = try ByteServer(takingBodies: false) { _, _ in
            .init("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        }
        let address = try WebAddress.parse(server.url + "/x").address
        let request = WebRequest(.put, address, body: .file(path: file.path, offset: 0, count: file.bytes.count))
        for _ in 0..<2 { #expect(try await client.send(request, limit: 10).status == 413) }
        // What is left of the body would be taken for the next request.
        #expect(server.connections == 2)
    }

    @Test func aFileThatNobodyTakesEndsWithTheIdleLimit() async throws {
        let file = try TemporaryFile([UInt8](repeating: 1, count: 64 << 20))
        let server = try ByteServer(takingBodies: false) { _, _ in .init("") }
        let client = WebClient(.init(limits: TimeLimits(connect: .milliseconds(50), idle: .milliseconds(200))))
        let address = try WebAddress.parse(server.url + "/x").address
        let request = WebRequest(.put, address, body: .file(path: file.path, offset: 0, count: file.bytes.count))
        let failure = await #expect(throws: WebFailure.self) { try await client.send(request, limit: 10) }
        #expect(failure?.kind == .idleTimeout)
        #expect(failure?.problem == "nothing could be sent for 0.25 s")
    }

    @Test func downloadsHandOverPiecesAndStopWithTheSinksError() async throws {
        struct Full: Error {}
        let server = try HTTPTestServer { _ in .init(200, body: Array(repeating: 5, count: 300_000)) }
        let total = Mutex(0)
        let request = WebRequest(.get, try address(server))
        let response = try await client.download(request, limit: 300_000) { bytes in
            total.withLock { $0 += bytes.count }
        }
        #expect(response.status == 200)
        #expect(total.withLock { $0 } == 300_000)
        await #expect(throws: Full.self) {
            try await client.download(request, limit: 300_000) { _ in throw Full() }
        }
    }

    @Test func cancellingTheCallerEndsTheRequest() async throws {
        let arrived = Gate()
        let server = try HTTPTestServer { _ in
            arrived.open()
            return .init(200, delivery: .never)
        }
        let client = WebClient()
        let request = WebRequest(.get, try address(server))
        let task = Task { try await client.send(request, limit: 1) }
        await arrived.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
