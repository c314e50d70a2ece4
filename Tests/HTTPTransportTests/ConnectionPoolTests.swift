import Synchronization
import TestServers
import Testing

@testable import HTTPTransport

/// Connections that are kept open: used again where they can be, and never for somebody else's answer.
@Suite struct ConnectionPoolTests {
    private static let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    private func get(_ server: ByteServer, _ path: String = "/x") throws -> WebRequest {
        WebRequest(.get, try WebAddress.parse(server.url + path).address)
    }

    @Test func oneAfterTheOtherUsesOneConnection() async throws {
        let server = try ByteServer { _, _ in .init(Self.hello) }
        let client = WebClient()
        for _ in 0..<5 { #expect(try await client.send(try get(server), limit: 10).body == Array("hello".utf8)) }
        #expect(server.connections == 1)
        #expect(server.requests.count == 5)
        #expect(server.requests[0] == "GET /x HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n")
    }

    @Test func noMoreConnectionsThanAllowed() async throws {
        let server = try ByteServer { _, _ in .init(Self.hello) }
        let client = WebClient(.init(connections: 3))
        let request = try get(server)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<60 { group.addTask { _ = try await client.send(request, limit: 10) } }
            try await group.waitForAll()
        }
        #expect(server.requests.count == 60)
        #expect((1...3).contains(server.connections))
    }

    @Test func aConnectionThatTheServerEndsIsNotUsedAgain() async throws {
        let announced = try ByteServer { _, _ in
            .init("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        }
        // Ends without a word; the client has seen it before it asks again.
        let silent = try ByteServer { _, _ in .init(Self.hello, closes: true) }
        // The length is where the connection ends.
        let unmeasured = try ByteServer { _, _ in .init("HTTP/1.1 200 OK\r\n\r\nas long as it is", closes: true) }
        for (server, text) in [(announced, "ok"), (silent, "hello"), (unmeasured, "as long as it is")] {
            let client = WebClient()
            let patience = WebClient.Patience(RetryPolicy(attempts: 3), sleep: { _ in }, draw: { 0 })
            for _ in 0..<3 {
                let response = try await client.send(try get(server), limit: 100, patience: patience)
                #expect(response.body == Array(text.utf8))
            }
            #expect(server.connections == 3)
        }
    }

    @Test func anAnswerNobodyAskedForIsGivenToNobody() async throws {
        let server = try ByteServer { connection, _ in
            .init(connection == 1 ? Self.hello + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" : Self.hello)
        }
        let client = WebClient()
        let patience = WebClient.Patience(RetryPolicy(attempts: 3), sleep: { _ in }, draw: { 0 })
        for _ in 0..<4 {
            let response = try await client.send(try get(server), limit: 10, patience: patience)
            #expect(response.body == Array("hello".utf8))
        }
    }

    /// Connections that break at every stage, callers that go away, and every answer still belongs to its request.
    @Test func answersAreNeverMixedUp() async throws {
        let server = try HTTPTestServer { request in
            let body = Array("\(request.target) \(request.body.count)".utf8)
            return switch (request.target.utf8.reduce(0) { $0 &* 31 &+ Int($1) } &+ Int.random(in: 0..<10)) & 15 {
            case 0: .init(200, body: body, delivery: .none)
            case 1: .init(200, body: body, delivery: .cutOff(after: 3))
            case 2: .init(200, headers: [("Connection", "close")], body: body)
            case 3: .init(503, body: body)
            case 4: .init(200, body: body, delivery: .slow(pieces: 2, pause: .milliseconds(1)))
            default: .init(200, body: body)
            }
        }
        let client = WebClient(.init(connections: 5))
        let patience = WebClient.Patience(RetryPolicy(attempts: 60), sleep: { _ in }, draw: { 0 })
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<12 {
                group.addTask {
                    var wrong = 0
                    for step in 0..<40 {
                        let path = "/\(caller)-\(step)"
                        let address = try WebAddress.parse(server.url + path).address
                        let request = WebRequest(.put, address, body: .bytes([UInt8](repeating: 0, count: step * 97)))
                        let task = Task { try await client.send(request, limit: 100, patience: patience) }
                        if (caller + step) % 9 == 0 {
                            task.cancel()
                            _ = try? await task.value
                        } else {
                            let text = String(decoding: try await task.value.body, as: UTF8.self)
                            if text != "\(path) \(step * 97)" { wrong += 1 }
                        }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
        #expect(server.requests.count > 400)
    }

    @Test func answersBeforeTheAnswerArePassedOver() async throws {
        let server = try ByteServer { _, _ in .init("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + Self.hello) }
        #expect(try await WebClient().send(try get(server), limit: 10).status == 200)
    }

    @Test func whatIsNoHttpIsSaid() async throws {
        let server = try ByteServer { _, _ in .init("220 mail.example ESMTP\r\n") }
        let request = try get(server)
        let failure = await #expect(throws: WebFailure.self) { try await WebClient().send(request, limit: 10) }
        #expect(failure?.kind == .malformedAnswer)
        #expect(failure?.problem == "what answers there does not speak HTTP")
    }

    @Test func aHandshakeThatNobodyAnswersEndsWithTheLimitForConnecting() async throws {
        let server = try ByteServer { _, _ in .init("") }
        let limits = TimeLimits(connect: .milliseconds(100))
        let request = WebRequest(.get, WebAddress(scheme: .https, host: "127.0.0.1", port: server.port))
        let failure = await #expect(throws: WebFailure.self) {
            try await WebClient(.init(limits: limits)).send(request, limit: 10)
        }
        #expect(failure?.kind == .connectTimeout)
    }

    @Test func aHeaderWithALineBreakIsNotSent() async throws {
        let server = try ByteServer { _, _ in .init(Self.hello) }
        var request = try get(server)
        request.headers.append(("X-Mine", "a\r\nX-Other: hush"))
        let invalid = request
        let failure = await #expect(throws: WebFailure.self) { try await WebClient().send(invalid, limit: 10) }
        #expect(
            failure?.description == """
                GET \(server.url)/x: the request could not be made (a header that HTTP does not allow); check the URL \
                and the headers configured for it
                """)
        #expect(server.requests.isEmpty)
    }

    @Test func anErrorsLongBodyIsReadAsFarAsItHelps() async throws {
        let body = String(repeating: "x", count: 300_000)
        let server = try ByteServer { _, _ in
            .init("HTTP/1.1 500 Oops\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
        }
        let client = WebClient()
        for _ in 0..<2 {
            let response = try await client.download(try get(server), limit: 10) { _ in }
            #expect(response.status == 500)
            #expect(response.body.count == WebClient.beginningBytes)
        }
        // What is left of the body came over the first connection.
        #expect(server.connections == 2)
    }

    @Test func whoWaitsForAConnectionCanBeCancelledAndHasALimit() async throws {
        let arrived = Gate()
        let server = try HTTPTestServer { _ in
            arrived.open()
            return .init(200, delivery: .never)
        }
        let limits = TimeLimits(connect: .milliseconds(50), firstByte: .milliseconds(250))
        let request = WebRequest(.get, try WebAddress.parse(server.url).address)
        let impatient = WebClient(.init(limits: limits, connections: 1))
        let kinds = await failures(of: 2) { try await impatient.send(request, limit: 1) }
        #expect(kinds == [.firstByteTimeout, .firstByteTimeout])

        await arrived.wait()
        let client = WebClient(.init(connections: 1))
        let occupying = Task { try await client.send(request, limit: 1) }
        let waiting = Task { try await client.send(request, limit: 1) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        occupying.cancel()
        await #expect(throws: CancellationError.self) { try await occupying.value }
    }

    @Test func everybodyWhoWaitsForAServerThatIsNotThereIsTold() async throws {
        let server = try HTTPTestServer { _ in .init(200) }
        server.stop()
        let client = WebClient(.init(connections: 2))
        let request = WebRequest(.get, try WebAddress.parse(server.url).address)
        let kinds = await failures(of: 9) { try await client.send(request, limit: 1) }
        #expect(kinds == Array(repeating: .refused, count: 9))
    }

    /// How each of `count` requests at once fails; nil for one that does not.
    private func failures(
        of count: Int, _ send: @escaping @Sendable () async throws -> WebResponse
    ) async -> [WebFailure.Kind?] {
        await withTaskGroup(of: WebFailure.Kind?.self) { group in
            for _ in 0..<count {
                group.addTask {
                    do { _ = try await send() } catch { return (error as? WebFailure)?.kind }
                    return nil
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }
}
