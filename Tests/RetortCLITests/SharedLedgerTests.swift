import CanonicalJSON
import Foundation
import TeacherServer
import Testing

/// Paid answers that travel by tiers.
@Suite(.serialized) struct SharedLedgerTests {
    private let place: Workplace
    private let url: String

    init() throws {
        place = try Workplace()
        let team = place.folder.appendingPathComponent("team")
        try FileManager.default.createDirectory(at: team, withIntermediateDirectories: true)
        url = "file://\(team.path)"
    }

    private func export(_ store: String) throws -> String {
        try place.retort("ledger", "export", "-", "--store", store).output
    }

    @Test func answersArePushedAndPulled() throws {
        let run = ["run", "pipelines/quickstart.yaml", "--target", "cots", "--set", "questions=60", "--store", "mine"]
        #expect(try place.retort(run).status == 0)
        let nothing = try place.retort("ledger", "push", "--store", "mine", "--no-tiers")
        #expect(nothing.status == 2)
        #expect(nothing.errors.hasPrefix("error: there is no tier to push to; give --tier URL"))
        let pushed = try place.retort("ledger", "push", "--store", "mine", "--tier", url)
        #expect(pushed.status == 0, "\(pushed.errors)")
        let answers = try export("mine").split(separator: "\n").count
        #expect(answers > 50)
        #expect(pushed.output == "\(url): \(answers) answers sent in 1 segments\n")
        let again = try place.retort("ledger", "push", "--store", "mine", "--tier", url)
        #expect(again.output == "\(url): 0 answers sent in 0 segments\n")
        let pulled = try place.retort("ledger", "pull", "--store", "theirs", "--read-only-tier", url)
        #expect(pulled.output == "\(url): \(answers) new answers from 1 segments\n", "\(pulled.errors)")
        #expect(try export("theirs") == export("mine"))
        let refused = try place.retort("ledger", "push", "--store", "theirs", "--read-only-tier", url)
        #expect(refused.status == 0, "there is nothing to send")
        #expect(try place.retort(run.dropLast() + ["other", "--set", "questions=70"]).status == 0)
        let readOnly = try place.retort("ledger", "push", "--store", "other", "--read-only-tier", url)
        #expect(readOnly.status == 1)
        #expect(readOnly.errors.contains("it is configured as read-only; set its access to read-write if you may"))
    }

    private func write(shardRecords: Int, to path: String, url: String) throws {
        let teacher = "{ kind: openai, url: \"\(url)\", model: synthetic, concurrency: 4 }"
        try place.write(
            """
            retort: 1
            name: asked
            tiers: [\(self.url)]
            stages:
              questions: { uses: import-questions, with: { path: questions.jsonl, shard-records: \(shardRecords) } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: pipelines/prompts/cot-extraction.txt, teacher: \(teacher), max-tokens: 300 }
            """, to: path)
    }

    private func writeQuestions() throws {
        try place.write(
            """
            retort: 1
            name: source
            stages:
              questions: { uses: synthetic-tasks, with: { count: 40, seed: 3 } }
            """, to: "source.yaml")
        #expect(try place.retort("run", "source.yaml", "--store", "made").status == 0)
        let shown = try place.retort("show", "source.yaml", "questions", "--store", "made")
        try place.write(shown.output, to: "questions.jsonl")
    }

    @Test func aRunPaysForNoCallThatAColleagueHasPaidFor() async throws {
        let server = try await TeacherServer(ServerSettings())
        try writeQuestions()
        try write(shardRecords: 16, to: "asked.yaml", url: server.url)
        let first = try place.retort("run", "asked.yaml", "--store", "mine", "--format", "json")
        #expect(first.status == 0, "\(first.errors)")
        let paid = server.requests
        #expect(paid >= 40)

        // Most shards are others, so the results of few actions are found; the calls are the same.
        try write(shardRecords: 8, to: "asked.yaml", url: server.url)
        let second = try place.retort("run", "asked.yaml", "--store", "theirs", "--format", "json")
        #expect(second.status == 0, "\(second.errors)")
        #expect(server.requests == paid)
        let row = try second.stage("cots")
        #expect(row["teacher_calls"]?.integer == 0)
        #expect(try #require(row["teacher_calls_saved"]?.integer) > 0)
        #expect(try row["executed"]?.integer ?? 0 > 0, "\(row)")
    }

    @Test func answersThatDidNotReachTheTierAreSaidAndFailARunThatRequiresIt() async throws {
        let server = try await TeacherServer(ServerSettings())
        try writeQuestions()
        // Results have a place there, and answers have none.
        try place.write("in the way", to: "team/segments")
        try write(shardRecords: 16, to: "asked.yaml", url: server.url)
        for (store, options, status) in [("mine", [], 0), ("theirs", ["--require-push"], 1)]
            as [(String, [String], Int32)]
        {
            try write(shardRecords: status == 0 ? 16 : 8, to: "asked.yaml", url: server.url)
            let run = try place.retort(["run", "asked.yaml", "--store", store, "--format", "json"] + options)
            #expect(run.status == status, "\(run.output)\(run.errors)")
            #expect(run.output.contains(" paid answers did not reach the tier \(url): "), "\(run.output)")
            #expect(!run.output.contains("results did not reach the tier"), "\(run.output)")
        }
    }
}
