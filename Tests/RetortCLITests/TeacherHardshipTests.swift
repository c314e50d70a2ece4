import CanonicalJSON
import Foundation
import TeacherServer
import Teachers
import Testing

/// Endpoints that do not do what they should: every message names stage, endpoint and question, and what was paid for is
/// in the ledger.
@Suite(.serialized) struct TeacherHardshipTests {
    /// What the server does to the third question of five.
    struct Hardship: CustomTestStringConvertible, Sendable {
        let fault: String
        let message: String

        var testDescription: String { fault }
    }

    private static let hardships = [
        Hardship(fault: "no-choices", message: "the answer's \"choices\" are empty (2 attempts)"),
        Hardship(fault: "invalid-json", message: "the answer is no JSON (line 1"),
        Hardship(fault: "content-type", message: "the answer is text/html, not JSON"),
        Hardship(fault: "huge", message: "the answer has more than 16 MiB; lower max-tokens"),
        Hardship(
            fault: "context-length",
            message: "the server answered 400: This model's maximum context length is 2048 tokens.; shorten the prompt"),
        Hardship(fault: "truncate", message: "the connection ended before the answer was complete"),
    ]

    @Test(arguments: hardships)
    func aFailureNamesStageEndpointAndQuestionAndLosesNoAnswer(hardship: Hardship) async throws {
        var settings = ServerSettings()
        settings.faults = [try FaultRule("\(hardship.fault)~third case")]
        let scene = try await TeacherScene(questions: 1, settings: settings)
        let cases = ["first", "second", "third", "fourth", "fifth"]
        let lines = cases.map {
            """
            {"answer":"True","id":"\($0)","question":"In the \($0) case: not ( False ) is","task":"boolean_expressions"}

            """
        }
        try scene.workplace.write(lines.joined(), to: "questions.jsonl")
        try scene.write(", attempts: 2")
        let outcome = try scene.workplace.retort("run", "asked.yaml", "--target", "cots")
        #expect(outcome.status == 1)
        let failure = "stage cots, record third: question \"third\": \(scene.server.url), model synthetic: "
        #expect(outcome.errors.contains(failure + hardship.message), "\(outcome.errors)")

        // Without the question that fails, what was answered before is not asked again.
        let (asked, durable) = (scene.server.requests, try scene.durableAnswers())
        #expect(durable >= 1 && durable <= 4 && durable < asked)
        try lines.filter { !$0.contains("third") }.joined().write(
            to: scene.workplace.folder.appendingPathComponent("questions.jsonl"), atomically: true, encoding: .utf8)
        #expect(try scene.workplace.retort("run", "asked.yaml", "--target", "cots").status == 0)
        #expect(scene.server.requests - asked == 4 - durable)
    }

    @Test func anEndpointThatIsNotThereIsNamedWithStageAndQuestion() async throws {
        let scene = try await TeacherScene(questions: 3)
        let secure = scene.server.url.replacing("http:", with: "https:")
        let cases = [
            ("http://127.0.0.1:1/v1", "nothing listens at 127.0.0.1:1"),
            ("http://no-such-host.invalid/v1", "the host no-such-host.invalid is not known"),
            (secure, "no trusted TLS connection could be made"),
            (
                scene.server.url + "/nothing",
                "the server answered 404: There is no resource /v1/nothing/chat/completions."
            ),
        ]
        for (url, message) in cases {
            try scene.write(", attempts: 1", url: url)
            let outcome = try scene.workplace.retort("run", "asked.yaml", "--target", "cots")
            #expect(outcome.status == 1)
            let failure = try #require(
                outcome.errors.split(separator: "\n").first { $0.contains("stage cots, record ") })
            #expect(failure.contains("\": \(url), model synthetic: "), "\(failure)")
            #expect(failure.contains(message), "\(failure)")
        }
    }

    @Test func anEmptyAnswerIsKeptCountedAndNamed() async throws {
        var settings = ServerSettings()
        settings.faults = [try FaultRule("empty@2")]
        let scene = try await TeacherScene(questions: 6, settings: settings)
        let outcome = try scene.workplace.retort("run", "asked.yaml", "--target", "cots")
        #expect(outcome.status == 0)
        let warning = try #require(outcome.errors.split(separator: "\n").first { $0.contains("warning: stage cots: ") })
        #expect(warning.contains("question \""), "\(warning)")
        #expect(
            warning.hasSuffix(
                "\(scene.server.url), model synthetic: the answer is empty (finish reason \"stop\"); raise max-tokens if it"
                    + " was cut off before its first word, and ask again with --retry-finish-reason stop"), "\(warning)"
        )
        #expect(try scene.durableAnswers() == 6, "it has been paid for")
        let again = try scene.run("--target", "cots").stage("cots")
        #expect(again["dropped"]?["empty-answer"] == 1)
    }

    @Test func bytesThatAreNoTextAreReplacedAndNamed() async throws {
        var settings = ServerSettings()
        settings.faults = [try FaultRule("invalid-utf8@1")]
        let scene = try await TeacherScene(questions: 3, settings: settings)
        let outcome = try scene.workplace.retort("run", "asked.yaml", "--target", "cots")
        #expect(outcome.status == 0)
        let warning = try #require(outcome.errors.split(separator: "\n").first { $0.contains("warning: stage cots: ") })
        #expect(warning.contains("\(scene.server.url): question \""), "\(warning)")
        #expect(
            warning.hasSuffix("the answer held bytes that are no UTF-8; they were replaced by U+FFFD"), "\(warning)")
        #expect(try scene.durableAnswers() == 3)
    }

    @Test func aKindOfTeacherThatDoesNotExistIsAnsweredWithAllThatDo() async throws {
        let scene = try await TeacherScene(questions: 1)
        let text = try scene.workplace.read("asked.yaml").replacing("kind: openai", with: "kind: opnai")
        try scene.workplace.write(text, to: "asked.yaml")
        let outcome = try scene.workplace.retort("plan", "asked.yaml")
        #expect(outcome.status == 2)
        for kind in ["synthetic", "recorded", "openai"] {
            #expect(outcome.errors.contains(kind), "\(outcome.errors)")
        }
    }

    @Test(.enabled(if: WallClock.compiler != nil, "no clang or cc to build a jumping clock with"))
    func aClockThatJumpsMakesNothingHangAndLosesNothing() async throws {
        var settings = ServerSettings()
        settings.latency = 3
        settings.faults = [try FaultRule("429=1@9"), try FaultRule("429=1@33")]
        let scene = try await TeacherScene(questions: 40, settings: settings)
        let clock = try WallClock(in: scene.workplace)
        let (output, errors) = (
            scene.workplace.folder.appendingPathComponent("o"), scene.workplace.folder.appendingPathComponent("e")
        )
        let process = try Program.start(
            clock.preloading + [Program.folder.appendingPathComponent("retort").path, "run", "asked.yaml"],
            in: scene.workplace.folder, output: output, errors: errors,
            executable: URL(fileURLWithPath: "/usr/bin/env"))
        // Years forth while one Retry-After is waited for, back behind where it began during the next.
        for (requests, days) in [(9, 4000), (33, -4000)] {
            while process.isRunning, scene.server.requests < requests { usleep(200) }
            try clock.jump(days: days)
        }
        process.waitUntilExit()
        let outcome = try Program.outcome(of: process, output: output, errors: errors)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(scene.server.requests == 82, "80 answers, and two were turned away once")
        #expect(try scene.durableAnswers() == 80)
        let stats = try JSON.parse(scene.workplace.retort("ledger", "stats", "--format", "json").output)
        let days = try #require(stats["days"]?.object).members
        #expect(days.count >= 2, "the statistics follow the wall clock")
        #expect(days.reduce(0) { $0 + ($1.value["calls"]?.integer ?? 0) } == 80)
        #expect(try scene.calls(scene.run()) == 0)
    }
}

/// Moves the wall clock of a program alone: its steady clocks go on.
struct WallClock {
    static let compiler = ["/opt/swift/usr/bin/clang", "/usr/bin/clang", "/usr/bin/cc"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private let file: URL
    private let library: URL

    /// What `env` has to be called with.
    var preloading: [String] { ["LD_PRELOAD=\(library.path)", "WALL_CLOCK_OFFSET_FILE=\(file.path)"] }

    init(in workplace: Workplace) throws {
        file = workplace.folder.appendingPathComponent("offset")
        library = workplace.folder.appendingPathComponent("clock.so")
        try workplace.write("0", to: "offset")
        try workplace.write(
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <fcntl.h>
            #include <stdlib.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>
            static long offset(void) {
                char text[32] = {0};
                const char *path = getenv("WALL_CLOCK_OFFSET_FILE");
                int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
                if (file < 0) return 0;
                long count = read(file, text, sizeof text - 1);
                close(file);
                return count > 0 ? atol(text) : 0;
            }
            int clock_gettime(clockid_t clock, struct timespec *time) {
                int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
                int result = real(clock, time);
                if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += offset();
                return result;
            }
            int gettimeofday(struct timeval *restrict now, void *restrict zone) {
                struct timespec time;
                clock_gettime(CLOCK_REALTIME, &time);
                now->tv_sec = time.tv_sec;
                now->tv_usec = time.tv_nsec / 1000;
                return 0;
            }
            time_t time(time_t *out) {
                struct timespec time;
                clock_gettime(CLOCK_REALTIME, &time);
                if (out) *out = time.tv_sec;
                return time.tv_sec;
            }
            """, to: "clock.c")
        let built = try workplace.program(
            Self.compiler!, ["-shared", "-fPIC", "-O1", "-o", library.path, "clock.c", "-ldl"])
        #expect(built.status == 0, "\(built.errors)")
    }

    /// Moves it against the true time.
    func jump(days: Int) throws {
        try String(days * 86_400).write(to: file, atomically: true, encoding: .utf8)
    }
}
