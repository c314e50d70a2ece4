import CanonicalJSON
import Foundation
import TeacherServer
import Testing

/// `retort trace`: from a result back to the paid calls behind it.
@Suite struct TraceTests {
    private func trace(_ scene: TeacherScene, _ arguments: String...) throws -> JSON {
        let outcome = try scene.workplace.retort(["trace", "asked.yaml"] + arguments + ["--format", "json"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try JSON.parse(outcome.output)
    }

    @Test func aResultNamesItsStagesFilesAndCalls() async throws {
        let scene = try await TeacherScene(questions: 40)
        let early = try scene.workplace.retort("trace", "asked.yaml", "corrupted")
        #expect(early.status == 1)
        #expect(
            early.errors == "error: questions is not up to date, and a trace follows results that are: "
                + "retort run asked.yaml --target corrupted\n")

        try scene.write(", prices: { prompt: 1, completion: 2 }")
        #expect(try scene.run().status == 0)
        let whole = try trace(scene, "corrupted")
        let stages = try #require(whole["stages"]?.array)
        #expect(
            stages.compactMap { $0["stage"]?.string } == [
                "questions", "cots", "rectified", "demonstrations", "corrupted",
            ])
        let ledger = try JSON.parse(scene.workplace.retort("ledger", "stats", "--format", "json").output)
        for field in ["calls", "prompt_tokens", "completion_tokens"] {
            let traced = stages.reduce(0) { $0 + ($1["teacher_calls"]?[field]?.integer ?? 0) }
            #expect(try traced == #require(ledger["total"]?[field]?.integer))
        }
        let cots = stages[1]
        #expect(cots["teacher_calls"]?["calls"]?.integer == 40)
        #expect(cots["teacher_calls"]?["unknown"]?.integer == 0)
        #expect(try #require(cots["teacher_calls"]?["cost"]?.double) > 0)
        #expect(cots["teacher_calls"]?["teachers"]?.array == [.string("synthetic at \(scene.server.url)")])
        #expect(cots["sources"]?.array?.compactMap { $0["path"]?.string } == ["pipelines/prompts/cot-extraction.txt"])
        #expect(cots["inputs"]?["questions"]?.string == "questions.questions")

        let text = try scene.workplace.retort("trace", "asked.yaml", "corrupted").output
        #expect(text.contains("teacher-sampling/1"))
        #expect(text.contains("pipelines/prompts/contrastive.txt"))
        #expect(text.contains("cots: asked synthetic at \(scene.server.url) on 20"))

        // Another machine's results, without its ledger.
        try FileManager.default.removeItem(
            at: scene.workplace.folder.appendingPathComponent("artifacts/local/ledger.sqlite"))
        let elsewhere = try trace(scene, "cots.correct")
        #expect(elsewhere["stages"]?.array?.last?["teacher_calls"]?["unknown"]?.integer == 40)
    }

    @Test func aRecordLeadsToTheWordsOfItsCalls() async throws {
        let scene = try await TeacherScene(questions: 40)
        #expect(try scene.run().status == 0)
        let corrupted = try scene.workplace.retort("show", "asked.yaml", "corrupted", "--limit", "1").output
        let record = try JSON.parse(corrupted)
        let id = try #require(record["id"]?.string)
        let traced = try trace(scene, "corrupted", "--record", id)
        #expect(
            traced["records"]?.array?.compactMap { $0["output"]?.string }
                == ["questions.questions", "cots.correct", "corrupted.corrupted"])
        #expect(traced["records"]?.array?.last?["record"] == record)
        let calls = try #require(traced["calls"]?.array)
        #expect(calls.compactMap { $0["stage"]?.string } == ["cots", "corrupted"])
        #expect(calls.last?["answer"]?["response"]?["text"] == record["cot"])
        let question = try #require(record["question"]?.string)
        #expect(
            calls.first?["messages"]?.array?.contains { $0["content"]?.string?.contains(question) ?? false } == true)

        let text = try scene.workplace.retort("trace", "asked.yaml", "corrupted", "--record", id).output
        #expect(try text.contains("cots asked about \(id), request \(#require(calls[0]["key"]?.string))"))

        let unknown = try scene.workplace.retort("trace", "asked.yaml", "corrupted", "--record", "q-none")
        #expect(unknown.status == 2)
        #expect(
            unknown.errors == "error: corrupted.corrupted has no record \"q-none\", and neither has any before it\n")
    }
}
