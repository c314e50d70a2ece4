import CanonicalJSON
import Foundation
import TeacherServer
import Testing

/// `retort doctor`: what is in the way of a run is named before it costs anything.
@Suite struct DoctorTests {
    private func findings(_ outcome: Program.Outcome) throws -> [[String]] {
        try outcome.output.split(separator: "\n").map { line in
            let finding = try JSON.parse(String(line))
            return ["subject", "verdict", "text"].map { finding[$0]?.string ?? "" }
        }
    }

    @Test func aMachineThatIsReadyIsSaidToBe() throws {
        let workplace = try Workplace()
        let before = try workplace.retort("doctor", "--format", "json")
        #expect(before.status == 0, "\(before.output)")
        let first = try findings(before)
        try #require(first.map { $0[0] } == ["machine", "retort-student", "store", "tier"])
        #expect(first[1][1] == "ok")
        #expect(first[2][2].hasPrefix("there is none at artifacts; the first run makes it ("))
        #expect(!FileManager.default.fileExists(atPath: workplace.store("")))

        #expect(try workplace.retort("run", "pipelines/your-data.yaml", "--target", "cots").status == 0)
        let after = try workplace.retort("doctor", "pipelines/your-data.yaml")
        #expect(after.status == 0, "\(after.output)")
        #expect(after.output.contains("ok: store: artifacts can be written; "))
        #expect(after.output.contains("ok: ledger: 60 answers\n"))
        #expect(try findings(workplace.retort("doctor", "--format", "json")).allSatisfy { $0[1] != "problem" })
    }

    @Test func tiersAndTeachersThatCannotBeUsedAreNamed() async throws {
        let scene = try await TeacherScene(questions: 4)
        let ready = try scene.workplace.retort("doctor", "asked.yaml", "--format", "json")
        #expect(ready.status == 0, "\(ready.output)")
        #expect(try findings(ready).last == ["teacher", "ok", "synthetic at \(scene.server.url) answers"])
        // It was asked for its models, and nothing that would be paid for.
        #expect(try scene.durableAnswers() == 0)

        try scene.write(", key-env: RETORT_TEST_NO_SUCH_KEY")
        #expect(try scene.workplace.retort("run", "source.yaml").status == 0)
        let missing = try scene.workplace.retort(
            "doctor", "asked.yaml", "--tier", "http://127.0.0.1:1/cache", "--format", "json")
        #expect(missing.status == 1)
        let found = try findings(missing)
        let problems = found.filter { $0[1] == "problem" }
        try #require(problems.map { $0[0] } == ["tier", "teacher"])
        #expect(problems[0][2].contains("http://127.0.0.1:1/cache"))
        #expect(problems[1][2].contains("RETORT_TEST_NO_SUCH_KEY (key-env) is not set"))
    }

    @Test func aStoreOfAnotherKindIsAProblem() throws {
        let workplace = try Workplace()
        try workplace.write("no store\n", to: "artifacts/notes.txt")
        let outcome = try workplace.retort("doctor")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("problem: store: "))
        #expect(try workplace.retort("doctor", "no-such.yaml").status == 2)
    }
}
