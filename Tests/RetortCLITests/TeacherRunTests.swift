import CanonicalJSON
import Foundation
import SeededRandomness
import TeacherServer
import Testing

/// Pipelines that ask a teacher over HTTP, run by the real program.
@Suite(.serialized) struct TeacherRunTests {
    @Test func aRunKilledAtManyMomentsPaysForNothingTwiceAndEndsAsIfUndisturbed() async throws {
        var settings = ServerSettings()
        settings.latency = 5
        let scene = try await TeacherScene(questions: 160, settings: settings)
        var random = SplitMix(seed: 20)
        // Sampling takes 160 calls, repair and corruption another 160: the moments are spread over all of them.
        for kill in 1...20 {
            let (asked, durable) = (scene.server.requests, try scene.durableAnswers())
            let wanted = asked + 1 + Int(random.next() % 30)
            let folder = scene.workplace.folder
            let process = try Program.start(
                ["run", "asked.yaml", "--store", "artifacts"], in: folder,
                output: folder.appendingPathComponent("o-\(kill)"), errors: folder.appendingPathComponent("e-\(kill)"))
            while process.isRunning, scene.server.requests < wanted { usleep(200) }
            // Anywhere between a request and the next: within the latency, while answers are read and written.
            usleep(UInt32(random.next() % 8000))
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            while scene.server.openConnections > 0 { usleep(200) }
            let lost = (scene.server.requests - asked) - (try scene.durableAnswers() - durable)
            #expect(lost <= TeacherScene.concurrency, "kill \(kill): only calls in flight are lost")
        }
        let (asked, durable) = (scene.server.requests, try scene.durableAnswers())
        #expect(durable > 0)
        let last = try scene.run()
        #expect(last.status == 0, "\(last.errors)")
        let repeated = (scene.server.requests - asked) - (try scene.durableAnswers() - durable)
        #expect(repeated == 0, "no durable answer is asked again")
        #expect(try scene.run(store: "undisturbed").status == 0)
        #expect(try scene.manifests() == scene.manifests(store: "undisturbed"))
    }

    @Test func anEditAnInsertionAndADeletionAskAboutExactlyTheNewQuestions() async throws {
        let scene = try await TeacherScene(questions: 1002)
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
        let scene = try await TeacherScene(questions: 12)
        #expect(try scene.run().status == 0)
        #expect(scene.server.requests == 24)
        try scene.write(
            ", timeout: 99, first-byte-timeout: 98, attempts: 2, key-env: NO_SUCH_VARIABLE, requests-per-minute: 9000")
        #expect(try scene.run().status == 0, "the key is not even read")
        #expect(scene.server.requests == 24)

        let changes: [(more: String, prompt: String)] = [
            ("temperature: 0.3, max-tokens: 300", "cot-extraction.txt"),
            ("temperature: 0.2, max-tokens: 301", "cot-extraction.txt"),
            ("temperature: 0.2, max-tokens: 300, top-p: 0.9", "cot-extraction.txt"),
            ("temperature: 0.2, max-tokens: 300, sampling-seed: 1", "cot-extraction.txt"),
            ("temperature: 0.2, max-tokens: 300", "other.txt"),
        ]
        let prompt = try scene.workplace.read("pipelines/prompts/cot-extraction.txt")
        try scene.workplace.write("Be brief.\n" + prompt, to: "pipelines/prompts/other.txt")
        for change in changes {
            let before = scene.server.requests
            try scene.write(more: change.more, prompt: change.prompt)
            #expect(try scene.run("--target", "cots").status == 0)
            #expect(scene.server.requests - before == 12, "\(change)")
        }
        // Another endpoint is another teacher, whatever model it serves.
        let other = try await TeacherServer(ServerSettings(model: "another"))
        try scene.write(model: "another", url: other.url)
        #expect(try scene.run("--target", "cots").status == 0)
        #expect(other.requests == 12)
        // All of it is still known.
        let before = scene.server.requests
        try scene.write()
        #expect(try scene.run().status == 0)
        #expect(scene.server.requests == before)
    }

    @Test func aModelThatDoesNotExistStopsTheStageAfterOneAttempt() async throws {
        let scene = try await TeacherScene(questions: 100)
        try scene.write(model: "gpt-x")
        let outcome = try scene.workplace.retort("run", "asked.yaml")
        #expect(outcome.status == 1)
        #expect(scene.server.requests == 1)
        for part in [
            "stage cots", "question \"", scene.server.url, "model gpt-x", "The model \"gpt-x\" does not exist.",
        ] { #expect(outcome.errors.contains(part), "\(part): \(outcome.errors)") }
    }

    @Test func aRunStopsBeforeOneCallMoreThanAllowedAndGoesOnFromThere() async throws {
        let scene = try await TeacherScene(questions: 60)
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
        let scene = try await TeacherScene(questions: 40, settings: settings)
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
        let scene = try await TeacherScene(questions: 40)
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

    @Test func thePlanGivesABoundWhereMoreSamplesMayBeTaken() async throws {
        let scene = try await TeacherScene(questions: 40)
        try scene.write(more: "temperature: 1, max-tokens: 300, samples: 3")
        func planned() throws -> JSON {
            let plan = try JSON.parse(scene.workplace.retort("plan", "asked.yaml", "--format", "json").output)
            return try #require(plan["teacher_calls"]?.array?.first { $0["stage"]?.string == "cots" })
        }
        let before = try planned()
        #expect(before["calls"] == 120 && before["exact"] == false && before["answered"] == 0)
        let calls = try #require(try scene.run("--target", "cots").stage("cots")["teacher_calls"]?.integer)
        #expect(calls > 40 && calls <= 120, "\(calls) calls")
        let after = try planned()
        #expect(after["calls"] == 0 && after["exact"] == true)
    }

    @Test func thePlanCountsForTheFirstStageWhatTheRunThenMakes() async throws {
        let scene = try await TeacherScene(questions: 200)
        #expect(try scene.run("--target", "cots").status == 0)
        var lines = try scene.workplace.read("questions.jsonl").split(separator: "\n").map(String.init)
        lines[7] = lines[7].replacing("\"question\":\"", with: "\"question\":\"Well: ")
        try scene.workplace.write(lines.joined(separator: "\n") + "\n", to: "questions.jsonl")
        func compare() throws {
            let plan = try JSON.parse(
                scene.workplace.retort("plan", "asked.yaml", "--target", "cots", "--format", "json").output)
            let planned = try #require(plan["teacher_calls"]?.array?.first { $0["stage"]?.string == "cots" })
            #expect(planned["exact"] == true)
            let ran = try scene.run("--target", "cots").stage("cots")
            #expect(planned["calls"] == ran["teacher_calls"])
            #expect(planned["answered"] == ran["teacher_calls_saved"])
            #expect(ran["actions"]!.integer! > ran["executed"]!.integer!, "not all shards run")
        }
        // The source has to be read again, so the plan itself cannot decide which shards run.
        try compare()
        // A result that is known needs no ledger: without it nothing more is asked, and the plan knows.
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: scene.workplace.store("local/ledger.sqlite\(suffix)"))
        }
        lines.remove(at: 9)
        try scene.workplace.write(lines.joined(separator: "\n") + "\n", to: "questions.jsonl")
        try compare()
    }

    @Test func aColleagueNeverPaysForTheSameCall() async throws {
        let scene = try await TeacherScene(questions: 40)
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
