import Foundation
import Testing

@Suite struct DocumentationTests {
    @Test func theStageReferenceIsWhatTheProgramSays() throws {
        let file = Program.packageRoot.appendingPathComponent("Sources/RetortCLI/RetortCLI.docc/Stages.md")
        let said = try Workplace().retort("stages").output
        if ProcessInfo.processInfo.environment["RETORT_RECORD"] != nil {
            try said.write(to: file, atomically: true, encoding: .utf8)
            Issue.record("recorded; run again without RETORT_RECORD")
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == said, "record it with RETORT_RECORD=1 swift test")
    }

    @Test func theShippedPipelinesAreValid() throws {
        let workplace = try Workplace()
        for arguments in [
            ["graph", "pipelines/quickstart.yaml"], ["graph", "pipelines/your-data.yaml", "--format", "dot"],
            ["graph", "pipelines/bbh-recorded.yaml", "--set", "data=x"], ["graph", "pipelines/baselines.yaml"],
            ["graph", "pipelines/key-steps.yaml"], ["graph", "pipelines/key-steps-annotated.yaml", "--set", "pairs=x"],
        ] {
            let outcome = try workplace.retort(arguments)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(!outcome.output.isEmpty)
        }
    }
}
