import CanonicalJSON
import Foundation
import TeacherServer
import Teachers
import Testing

/// Pipelines that ask a teacher over HTTP, run by the real program.
@Suite(.serialized) struct TeacherRunTests {
    /// A pipeline over `count` generated questions, kept in a file to be edited.
    private struct Scene {
        let workplace: Workplace
        let server: TeacherServer

        init(questions count: Int, settings: ServerSettings = ServerSettings()) async throws {
            server = try await TeacherServer(settings)
            workplace = try Workplace()
            try workplace.write(
                """
                retort: 1
                name: source
                stages:
                  questions: { uses: synthetic-tasks, with: { count: \(count), seed: 3 } }
                """, to: "source.yaml")
            let made = try workplace.retort("run", "source.yaml", "--store", "made")
            #expect(made.status == 0, "\(made.errors)")
            let shown = try workplace.retort("show", "source.yaml", "questions", "--store", "made")
            try workplace.write(shown.output, to: "questions.jsonl")
            try write()
        }

        /// - Parameter teacher: further members of the teacher.
        func write(model: String = "synthetic", _ teacher: String = "", temperature: Double = 0.2) throws {
            let asked = "{ kind: openai, url: \"\(server.url)\", model: \(model), concurrency: 8 \(teacher) }"
            let more = "temperature: \(temperature), max-tokens: 300"
            try workplace.write(
                """
                retort: 1
                name: asked
                stages:
                  questions: { uses: import-questions, with: { path: questions.jsonl, shard-records: 32 } }
                  cots:
                    uses: teacher-sampling
                    inputs: { questions: questions }
                    with: { prompt: pipelines/prompts/cot-extraction.txt, teacher: \(asked), \(more) }
                  rectified:
                    uses: rectification
                    inputs: { wrong: cots.wrong }
                    with: { prompt: pipelines/prompts/answer-hint.txt, teacher: \(asked), \(more) }
                  demonstrations:
                    uses: demonstrations
                    inputs: { wrong: cots.wrong, rectified: rectified }
                    with: { per-task: 1 }
                  corrupted:
                    uses: corruption
                    inputs: { correct: cots.correct, demonstrations: demonstrations }
                    with: { prompt: pipelines/prompts/contrastive.txt, teacher: \(asked), \(more) }
                """, to: "asked.yaml")
        }

        func run(_ arguments: String..., store: String = "artifacts") throws -> Program.Outcome {
            try workplace.retort(["run", "asked.yaml", "--store", store, "--format", "json"] + arguments)
        }

        func manifests(store: String = "artifacts") throws -> [String] {
            try ["cots.correct", "cots.wrong", "rectified", "corrupted"].map {
                try workplace.retort("show", "asked.yaml", $0, "--manifest", "--store", store).output
            }
        }

        func shards() throws -> Set<String> {
            Set(try manifests().flatMap { try JSON.parse($0)["shards"]!.array!.map { $0["digest"]!.string! } })
        }

        func ledgerCalls(store: String = "artifacts") throws -> Int {
            let stats = try workplace.retort("ledger", "stats", "--format", "json", "--store", store)
            return try JSON.parse(stats.output)["total"]?["calls"]?.integer ?? 0
        }

        /// What the summary says of the calls of all stages.
        func calls(_ outcome: Program.Outcome) throws -> Int {
            try outcome.summary["stages"]!.array!.reduce(0) { $0 + ($1["teacher_calls"]?.integer ?? 0) }
        }
    }

    @Test func aRunKilledAtManyMomentsPaysForNothingTwiceAndEndsAsIfUndisturbed() async throws {
        var settings = ServerSettings()
        settings.latency = 5
        let scene = try await Scene(questions: 160, settings: settings)
        let kills = 20
        // Sampling takes 160 calls, repair and corruption another 160: the moments are spread over all of them.
        for kill in 1...kills {
            let id = UUID().uuidString
            let (output, errors) = (
                scene.workplace.folder.appendingPathComponent("o-\(id)"),
                scene.workplace.folder.appendingPathComponent("e-\(id)")
            )
            let before = scene.server.requests
            let wanted = before + 1 + (kill * 7919) % 29
            let process = try Program.start(
                ["run", "asked.yaml", "--store", "artifacts"], in: scene.workplace.folder, output: output,
                errors: errors)
            while process.isRunning, scene.server.requests < wanted { usleep(500) }
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let durable = try scene.ledgerCalls()
        let asked = scene.server.requests
        // Eight requests under way, and as many answers on their way to the disk.
        #expect(asked - durable <= kills * 16, "only calls in flight are lost")
        let last = try scene.run()
        #expect(last.status == 0, "\(last.errors)")
        #expect(
            scene.server.requests - asked == (try scene.ledgerCalls()) - durable, "no durable answer is asked again")
        #expect(try scene.run(store: "undisturbed").status == 0)
        #expect(try scene.manifests() == scene.manifests(store: "undisturbed"))
    }

    @Test func anEditAnInsertionAndADeletionAskAboutExactlyTheNewQuestions() async throws {
        let scene = try await Scene(questions: 1002)
        var lines = try scene.workplace.read("questions.jsonl").split(separator: "\n").map(String.init)
        let added = [lines.remove(at: 400), lines.remove(at: 700)]
        try scene.workplace.write(lines.joined(separator: "\n") + "\n", to: "questions.jsonl")
        let first = try scene.run()
        #expect(first.status == 0, "\(first.errors)")
        #expect(scene.server.requests == 2000)
        let before = try scene.shards()

        // The edited question takes over the text of the deleted one of its family, in another order of words.
        let edited = try #require(lines.firstIndex { $0.contains("boolean_expressions") && $0.contains("not") })
        lines[edited] = lines[edited].replacing("\"question\":\"", with: "\"question\":\"( ")
            .replacing(" is\",", with: " ) is\",")
        lines.remove(at: 123 == edited ? 124 : 123)
        lines += added
        try scene.workplace.write(lines.joined(separator: "\n") + "\n", to: "questions.jsonl")
        let second = try scene.run()
        #expect(second.status == 0, "\(second.errors)")
        #expect(scene.server.requests - 2000 == 6, "three questions, each sampled and then repaired or corrupted")
        #expect(try scene.calls(second) == 6)
        let after = try scene.shards()
        #expect(
            before.subtracting(after).count <= 12, "of four shards: right and wrong answers, and what hangs on them")
        #expect(after.count > 60)
    }

    @Test func onlyWhatChangesAnAnswerIsAskedAgain() async throws {
        let scene = try await Scene(questions: 12)
        #expect(try scene.run().status == 0)
        let calls = scene.server.requests
        try scene.write(", timeout: 99, attempts: 2, key-env: NO_SUCH_VARIABLE")
        #expect(try scene.run().status == 0, "the key is not even read")
        #expect(scene.server.requests == calls)
        try scene.write(temperature: 0.3)
        #expect(try scene.run().status == 0)
        #expect(scene.server.requests == 2 * calls)
    }

    @Test func aModelThatDoesNotExistStopsTheStageAfterOneAttempt() async throws {
        let scene = try await Scene(questions: 100)
        try scene.write(model: "gpt-x")
        let outcome = try scene.workplace.retort("run", "asked.yaml")
        #expect(outcome.status == 1)
        #expect(scene.server.requests == 1)
        for part in [
            "stage cots", "question \"", scene.server.url, "model gpt-x", "The model \"gpt-x\" does not exist.",
        ] { #expect(outcome.errors.contains(part), "\(part): \(outcome.errors)") }
    }

    @Test func aRunStopsBeforeOneCallMoreThanAllowedAndGoesOnFromThere() async throws {
        let scene = try await Scene(questions: 60)
        let stopped = try scene.workplace.retort("run", "asked.yaml", "--max-calls", "25")
        #expect(stopped.status == 1)
        #expect(stopped.errors.contains("--max-calls 25"), "\(stopped.errors)")
        #expect(scene.server.requests == 25)
        #expect(try scene.ledgerCalls() == 25)
        #expect(try scene.run().status == 0)
        #expect(scene.server.requests == 120)
    }

    @Test func answersThatWereCutOffAreAskedForAgain() async throws {
        var settings = ServerSettings()
        settings.faults = [try FaultRule("cut-off<10")]
        let scene = try await Scene(questions: 40, settings: settings)
        #expect(try scene.run().status == 0)
        #expect(scene.server.requests == 80)
        let again = try scene.run("--retry-finish-reason", "length")
        #expect(again.status == 0, "\(again.errors)")
        // Beside these ten, the synthetic teacher breaks off a few answers by itself, each time again.
        let retried = scene.server.requests - 80
        #expect(retried >= 10 && retried < 20)
        #expect(try scene.calls(scene.run()) == 0)
    }

    @Test func thePlanSaysHowManyCallsWouldBeMadeAndHowManyAreKnown() async throws {
        let scene = try await Scene(questions: 40)
        try scene.write(", prices: { prompt: 1, completion: 2 }")
        func stage(_ name: String) throws -> JSON {
            let plan = try JSON.parse(scene.workplace.retort("plan", "asked.yaml", "--format", "json").output)
            return try #require(plan["teacher_calls"]?.array?.first { $0["stage"]?.string == name })
        }
        #expect(try scene.run("--target", "questions").status == 0)
        #expect(try stage("cots")["calls"] == 40)
        #expect(try stage("cots")["exact"] == true)
        #expect(try stage("rectified")["exact"] == false)
        #expect(try stage("rectified")["calls"] == 40)
        #expect(try stage("cots")["cost"]!.double! > 0)
        #expect(scene.server.requests == 0)

        #expect(try scene.workplace.retort("run", "asked.yaml", "--max-calls", "15").status == 1)
        #expect(try stage("cots")["calls"] == 25)
        #expect(try stage("cots")["answered"] == 15)
        let text = try scene.workplace.retort("plan", "asked.yaml").output
        #expect(text.contains("cots: 25 teacher calls, 15 answered by the ledger"), "\(text)")
        #expect(text.contains("rectified: at most 40 teacher calls"), "\(text)")
        #expect(try scene.run().status == 0)
        #expect(try stage("cots")["calls"] == 0)
    }

    @Test func aColleagueNeverPaysForTheSameCall() async throws {
        let scene = try await Scene(questions: 40)
        #expect(try scene.run().status == 0)
        let calls = scene.server.requests
        #expect(try scene.workplace.retort("ledger", "export", "calls.jsonl").status == 0)
        // The other store exists as soon as something ran in it.
        let imported = try scene.workplace.retort("ledger", "import", "calls.jsonl", "--store", "other")
        #expect(imported.status == 0, "\(imported.errors)")
        #expect(imported.errors.contains("imported \(calls) new answers, 0 were known"), "\(imported.errors)")
        let run = try scene.run(store: "other")
        #expect(run.status == 0, "\(run.errors)")
        #expect(scene.server.requests == calls)
        #expect(try scene.manifests() == scene.manifests(store: "other"))
        let text = try scene.workplace.retort("ledger", "stats").output
        #expect(text.contains("stage cots") && text.contains("model synthetic at \(scene.server.url)"), "\(text)")
    }
}
