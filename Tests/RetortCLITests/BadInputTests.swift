import Foundation
import Testing

/// One clear message for each mistake, with place and way out.
@Suite struct BadInputTests {
    private let pipeline = """
        retort: 1
        name: small
        stages:
          questions:
            uses: import-questions
            with: { path: questions.jsonl }
          split:
            uses: split
            inputs: { questions: questions }
        """

    private func run(_ questions: String?) throws -> Program.Outcome {
        let workplace = try Workplace()
        try workplace.write(pipeline, to: "small.yaml")
        if let questions { try workplace.write(questions, to: "questions.jsonl") }
        return try workplace.retort("run", "small.yaml")
    }

    @Test(arguments: [
        (
            #"{"id":"a","task":"t","question":"q","answer":"1"}"# + "\n" + #"{"id":"b","task":"t""#,
            "questions.jsonl:2:21: expected \",\" or \"}\""
        ),
        (
            #"{"id":"a","task":"t","question":"q"}"#, "questions.jsonl:1: field \"answer\" is missing"
        ),
        (
            #"{"id":"a","task":"t","question":"q","answer":"1"}"# + "\n\n"
                + #"{"id":"a","task":"t","question":"r","answer":"2"}"#,
            "questions.jsonl:3: the id \"a\" stands in line 1 already"
        ),
        ("[1]", "questions.jsonl:1: is an array; each line has to be a JSON object"),
        ("\n \n", "questions.jsonl: holds no records"),
    ])
    func aMalformedDataFileNamesFileLineAndCause(questions: String, message: String) throws {
        let outcome = try run(questions)
        #expect(outcome.status == 1)
        let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("error:") }
        #expect(errors.count == 1)
        #expect(errors.first?.contains(message) == true, "\(outcome.errors)")
    }

    @Test func aMissingFileNamesThePlaceInThePipelineFile() throws {
        let outcome = try run(nil)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("small.yaml:6:19: parameter \"path\""), "\(outcome.errors)")
        #expect(outcome.errors.contains("questions.jsonl"))
    }

    @Test func allMistakesOfAPipelineAreReportedAtOnce() throws {
        let workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: mistakes
            stages:
              questions:
                uses: synthetic-task
                with: { count: 10 }
              other:
                uses: synthetic-tasks
                with: { cont: 10, seed: x }
              cots:
                uses: teacher-sampling
                inputs: { questions: duals.duals }
                with: { prompt: p.txt, teacher: { kind: synthetic } }
              duals:
                uses: dual-filtering
                inputs: { correct: cots.correct, wrong: cots.wong }
              tokens:
                uses: tokenization
                inputs: { cots: duals, tokenizer: duals }
            """, to: "mistakes.yaml")
        let outcome = try workplace.retort("run", "mistakes.yaml")
        #expect(outcome.status == 2)
        for message in [
            "mistakes.yaml:5:11: error: unknown stage type \"synthetic-task\"; did you mean \"synthetic-tasks\"?",
            "mistakes.yaml:9:13: error: unknown parameter \"cont\" of stage type synthetic-tasks; did you mean \"count\"?",
            "mistakes.yaml:9:29: error:", "mistakes.yaml:16:45: error:", "mistakes.yaml:19:21: error:",
            "did you mean \"wrong\"?", "dual-pairs/1", "tokenizer/1", "cycle",
        ] {
            #expect(outcome.errors.contains(message), "missing: \(message)\n\(outcome.errors)")
        }
    }

    @Test(arguments: [["run"], ["rn", "x.yaml"], ["run", "x.yaml", "--jobs", "0"], ["run", "missing.yaml"]])
    func aMistakeInTheCommandLineEndsWithStatus2(arguments: [String]) throws {
        let workplace = try Workplace()
        let errors = workplace.folder.appendingPathComponent("errors")
        let output = workplace.folder.appendingPathComponent("output")
        let process = try Program.start(arguments, in: workplace.folder, output: output, errors: errors)
        process.waitUntilExit()
        #expect(process.terminationStatus == 2)
        #expect(try !String(contentsOf: errors, encoding: .utf8).isEmpty)
    }

    @Test func aFolderThatIsNoStoreIsRefused() throws {
        let workplace = try Workplace()
        try workplace.write(pipeline, to: "small.yaml")
        try workplace.write("mine", to: "folder/something.txt")
        let outcome = try workplace.retort("run", "small.yaml", "--store", "folder")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("no Retort store"), "\(outcome.errors)")
    }
}
