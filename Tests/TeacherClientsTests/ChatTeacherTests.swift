import CanonicalJSON
import Foundation
import TeacherClients
import TeacherServer
import Testing

@testable import Teachers

@Suite("A teacher behind an API")
struct ChatTeacherTests {
    @Test("answers like the teacher that is served, with usage and cost")
    func answers() async throws {
        let scene = try await ClientScene()
        let request = ClientScene.question("q1")
        let answer = try await scene.teacher().respond(to: request)
        let direct = SyntheticTeacher().answer(request)
        #expect(answer.text == direct.text)
        #expect(answer.usage == direct.usage)
        #expect(answer.model == "synthetic")
        #expect(scene.spending.spent.calls == 1)
        #expect(scene.spending.spent.cost == TokenPrices(prompt: 1, completion: 2).cost(of: try #require(answer.usage)))
    }

    @Test(
        "tries again after what passes",
        arguments: [
            "429@1", "429=3@1", "408@1", "409@1", "500@1", "502@1", "503@1", "drop@1", "truncate@1", "invalid-json@1",
            "content-type@1", "no-choices@1",
        ])
    func retries(fault: String) async throws {
        let scene = try await ClientScene([fault])
        #expect(await scene.failure(of: try scene.teacher()) == nil)
        #expect(scene.server.requests == 2)
        #expect(scene.spending.spent.calls == 2)
        #expect(scene.clock.now > .zero)
        if fault.hasPrefix("429=3") { #expect(scene.clock.now >= .seconds(3)) }
    }

    @Test(
        "gives up after one attempt at what does not pass",
        arguments: [
            ("400", "the server answered 400: The server fails on purpose."),
            (
                "403",
                "the server answered 403: The server fails on purpose.; check the key that key-env or key-file names, and"
                    + " what it allows"
            ),
            (
                "context-length",
                "the server answered 400: This model's maximum context length is 2048 tokens.; shorten the"
                    + " prompt, lower max-tokens, or drop the question"
            ),
            ("huge", "the answer has more than 16 MiB; lower max-tokens, and check that the URL names a chat endpoint"),
        ])
    func givesUp(fault: String, message: String) async throws {
        let scene = try await ClientScene([fault])
        let failure = await scene.failure(of: try scene.teacher())
        #expect(failure == "question \"q1\": \(scene.server.url), model synthetic: \(message)")
        #expect(scene.server.requests == 1)
    }

    @Test(
        "is patient, but not for ever",
        arguments: [
            ("500", 3, "the server answered 500: The server fails on purpose. (3 attempts)"),
            ("429", 12, "(12 attempts)"),
            ("drop", 3, "the connection ended before the answer was complete"),
            ("no-choices", 2, "the answer's \"choices\" are empty (2 attempts)"),
            ("content-type", 2, "the answer is text/html, not JSON"),
        ])
    func losesPatience(fault: String, attempts: Int, message: String) async throws {
        let scene = try await ClientScene([fault])
        let failure = await scene.failure(of: try scene.teacher { $0.attempts = 3 })
        #expect(failure?.contains(message) == true, "\(failure ?? "")")
        #expect(scene.server.requests == attempts)
    }

    @Test("names the model that does not exist, and sends nothing more for the stage")
    func refusesModel() async throws {
        let scene = try await ClientScene()
        let teacher = try scene.teacher { $0.model = "gpt-x" }
        let results = await teacher.respond(to: (0..<200).map { ClientScene.question("q\($0)") })
        for result in results {
            let error = #expect(throws: TeacherError.self) { try result.get() }
            #expect(
                error?.message
                    == "\(scene.server.url), model gpt-x: the server answered 404: The model \"gpt-x\" does not exist.;"
                    + " check the URL and the model's name")
        }
        #expect(scene.server.requests == 1)
    }

    @Test("brings its key from a file with a line end, and never tells it")
    func authorizes() async throws {
        let folder = try LedgerFolder()
        let path = folder.url.appending(path: "key").path
        try Data("sk-right\n".utf8).write(to: URL(filePath: path))
        var settings = ServerSettings()
        settings.key = "sk-right"
        let scene = try await ClientScene(settings: settings)
        #expect(await scene.failure(of: try scene.teacher { $0.key = .file(path) }) == nil)
        let failure = await scene.failure(of: try scene.teacher())
        #expect(
            failure
                == "question \"q1\": \(scene.server.url), model synthetic: the server answered 401: Incorrect API key"
                + " provided.; check the key that key-env or key-file names, and what it allows")
        let other = try await ClientScene(settings: settings)
        let missing = await other.failure(of: try other.teacher { $0.key = .file("/no/such/key") })
        #expect(missing?.contains("the key file /no/such/key (key-file) cannot be opened") == true)
    }

    @Test(
        "says what is wrong with a host that cannot be reached",
        arguments: [
            ("http://127.0.0.1:1/v1", "nothing listens at 127.0.0.1:1"),
            ("http://no-such-host.invalid/v1", "the host no-such-host.invalid is not known"),
        ])
    func reportsUnreachable(url: String, message: String) async throws {
        let scene = try await ClientScene()
        let failure = await scene.failure(
            of: try scene.teacher {
                $0.endpoint = try! ChatEndpoint(url)
                $0.attempts = 2
            })
        #expect(failure?.hasPrefix("question \"q1\": \(url), model synthetic: ") == true, "\(failure ?? "")")
        #expect(failure?.contains(message) == true, "\(failure ?? "")")
    }

    @Test("says that no TLS connection could be made")
    func reportsTLS() async throws {
        let scene = try await ClientScene()
        let url = scene.server.url.replacing("http:", with: "https:")
        let failure = await scene.failure(
            of: try scene.teacher {
                $0.endpoint = try! ChatEndpoint(url)
                $0.attempts = 1
            })
        #expect(failure?.contains("no trusted TLS connection could be made") == true, "\(failure ?? "")")
    }

    @Test("keeps an answer with bytes that are no UTF-8, and remarks on it")
    func repairs() async throws {
        let scene = try await ClientScene(["invalid-utf8"])
        let answer = try await scene.teacher().respond(to: ClientScene.question("q1"))
        #expect(answer.text.contains("\u{FFFD}"))
        #expect(
            scene.remarks.all == [
                "\(scene.server.url): question \"q1\": the answer held bytes that are no UTF-8; they were replaced by U+FFFD"
            ])
    }

    @Test("sends no more at once than allowed, over all teachers of the endpoint")
    func sharesTheBudget() async throws {
        var settings = ServerSettings()
        settings.latency = 2
        let scene = try await ClientScene(settings: settings)
        let teachers = try [
            scene.teacher { $0.limits.concurrency = 6 },
            scene.teacher {
                $0.limits.concurrency = 64
                $0.timeouts.connect = .seconds(9)
            },
        ]
        await withTaskGroup(of: Void.self) { group in
            for (index, teacher) in teachers.enumerated() {
                group.addTask {
                    let results = await teacher.respond(to: (0..<150).map { ClientScene.question("q\(index)-\($0)") })
                    #expect(results.allSatisfy { (try? $0.get()) != nil })
                }
            }
        }
        #expect(scene.server.requests == 300)
        #expect(scene.server.greatestInFlight <= 6)
    }

    @Test("gets all answers from a server that turns away what is too much")
    func adapts() async throws {
        var settings = ServerSettings()
        settings.latency = 2
        settings.concurrency = 4
        let scene = try await ClientScene(settings: settings)
        let teacher = try scene.teacher { $0.limits.concurrency = 64 }
        let results = await teacher.respond(to: (0..<300).map { ClientScene.question("q\($0)") })
        #expect(results.allSatisfy { (try? $0.get()) != nil })
    }

    @Test("stops before one call more than allowed, retries included")
    func staysWithinCalls() async throws {
        let scene = try await ClientScene(["500/3"], spending: SpendingLimit(maxCalls: 20))
        let results = try await scene.teacher().respond(to: (0..<100).map { ClientScene.question("q\($0)") })
        #expect(scene.server.requests == 20)
        #expect(results.count { (try? $0.get()) != nil } == 14)
    }

    @Test("stops before the cost could be exceeded")
    func staysWithinCost() async throws {
        let limit = 0.01
        let scene = try await ClientScene(spending: SpendingLimit(maxCost: limit))
        let results = try await scene.teacher().respond(to: (0..<500).map { ClientScene.question("q\($0)") })
        let answered = results.compactMap { try? $0.get() }
        #expect(answered.count > 3 && answered.count < 500)
        #expect(scene.spending.spent.cost <= limit)
        let worst = TokenPrices(prompt: 1, completion: 2).cost(of: ClientScene.question("q100").greatestUsage())
        #expect(scene.spending.spent.cost + worst > limit)
    }
}
