import ArgumentParser
import Dispatch
import Glibc
import TeacherServer
import Teachers

struct ServeTeacherCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-teacher",
        abstract: "Serves the synthetic teacher as an OpenAI-compatible API on this machine, with faults on request.",
        discussion: """
            The first line on standard output is the base URL for pipeline files. GET /stats says how many requests came.
            SIGTERM or SIGINT ends it.
            """)

    @Option(help: "The port on 127.0.0.1; a free one unless given.")
    var port = 0

    @Option(help: "The model's name; others are refused with 404.")
    var model = "synthetic"

    @Option(help: "Before each answer, in milliseconds.")
    var latency = 0

    @Option(help: "Another seed makes other mistakes.")
    var seed: UInt64 = 0

    @Option(name: .customLong("error-rate"), help: "Questions answered wrong at first, from 0 to 1.")
    var errorRate = 0.25

    @Option(name: .customLong("key-env"), help: "An environment variable with the key that requests have to bring.")
    var keyVariable: String?

    @Option(
        name: .customLong("fault"),
        help: ArgumentHelp(
            "A fault and when it strikes, such as 429=2@3, 500/10, drop<5, empty~TEXT; may be given several times.",
            valueName: "fault"))
    var faults: [String] = []

    @Option(help: "Requests in flight beyond this many are turned away with 429.")
    var concurrency: Int?

    @Option(name: .customLong("requests-per-minute"), help: "Requests beyond this many are turned away with 429.")
    var requestsPerMinute: Int?

    @Option(name: .customLong("batch-delay"), help: "Until a batch is done, in milliseconds.")
    var batchDelay = 0

    func run() async throws {
        var settings = ServerSettings(
            port: port, model: model, latency: latency, concurrency: concurrency, requestsPerMinute: requestsPerMinute,
            batchDelay: batchDelay)
        settings.teacher.seed = seed
        settings.teacher.errorRate = errorRate
        do {
            settings.faults = try faults.map { try FaultRule($0) }
            if let keyVariable { settings.key = try KeySource.environment(keyVariable).read() }
        } catch {
            throw ValidationError("\(error)")
        }
        let server = try await TeacherServer(settings)
        StandardStream.output.line(server.url)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let signals = InterruptSignals { end.finish() }
        defer { signals.cancel() }
        for await _ in ends {}
        try await server.close()
    }
}
