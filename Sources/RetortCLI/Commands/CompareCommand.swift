import ArgumentParser
import CanonicalJSON
import ContentStore

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares students question by question: difference in accuracy, interval and test.",
        discussion: """
            Takes outputs whose records carry a verdict, such as the answers of generation stages, and holds each against \
            the first. The interval is Newcombe's for paired proportions, the test McNemar's, exact.
            """)

    @OptionGroup var pipelineOptions: PipelineOptions

    @Argument(help: "STAGE or STAGE.OUTPUT, two at least; the first is what the others are held against.")
    var references: [String]

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    @Flag(help: "A line for each task as well.")
    var byTask = false

    @Flag(help: "Names the questions on which they differ.")
    var list = false

    @Option(help: "json writes one JSON object.")
    var format = OutputFormat.text

    func validate() throws {
        guard references.count >= 2 else { throw ValidationError("compare takes two outputs at least") }
    }

    func run() async throws {
        var answers: [AnswerComparison.Answers] = []
        for reference in references {
            let output = try await StoredOutput(reference, of: pipelineOptions, in: storeOptions, tierOptions)
            answers.append(try AnswerComparison.Answers(reference, output.artifact, output.store))
        }
        let comparison = AnswerComparison(answers[0], with: Array(answers.dropFirst()))
        StandardStream.output.line(
            format == .json
                ? comparison.json.canonicalText
                : ComparisonText.lines(comparison, byTask: byTask, lists: list).joined(separator: "\n"))
    }
}
