import CanonicalJSON
import Foundation
import Reasoning
import Testing

@testable import SyntheticTasks

/// Three families understand BIG-Bench Hard's own questions. The data lie beside the repository, in shared/data; where
/// they or the program `zstd` are missing, the suite is skipped.
@Suite("Published questions", .enabled(if: PublishedQuestions.areThere, "needs ../shared/data and the program zstd"))
struct PublishedQuestionsTests {
    @Test(
        "are solved as their gold answers say",
        arguments: [
            ("boolean_expressions", "boolean_expressions"), ("multistep_arithmetic_two", "multistep_arithmetic"),
            ("web_of_lies", "web_of_lies"),
        ])
    func agreeWithGold(task: String, family: String) throws {
        let questions = try PublishedQuestions.load().filter { $0.task == task }
        #expect(questions.count == 250)
        for question in questions {
            let reading = try #require(TaskCatalog.read(question.question), "\(question.question)")
            #expect(reading.task == family)
            let wording = Wording(question: question.question)
            let right = try #require(reading.answer(wording: wording))
            #expect(AnswerVerifier.verify(right.text, gold: question.answer).correct, "\(right.text)")
            let wrong = try #require(reading.mistakenAnswer(wording: wording, seed: 1, target: nil))
            #expect(!AnswerVerifier.verify(wrong.text, gold: question.answer).correct, "\(wrong.text)")
        }
    }
}

private enum PublishedQuestions {
    static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/data/bbh-questions.jsonl.zst")

    static let zstd = ["/usr/bin/zstd", "/usr/local/bin/zstd", "/opt/homebrew/bin/zstd"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    static var areThere: Bool { zstd != nil && FileManager.default.isReadableFile(atPath: file.path) }

    static func load() throws -> [Question] {
        let process = Process()
        process.executableURL = zstd.map { URL(filePath: $0) }
        process.arguments = ["-dcq", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try bytes.split(separator: 0x0A).map { line in
            let object = try #require(try JSON.parse(line).object)
            return try Question(json: object)
        }
    }
}
