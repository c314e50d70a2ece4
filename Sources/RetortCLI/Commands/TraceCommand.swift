import ArgumentParser
import CanonicalJSON
import ContentStore
import PipelineFile
import Scheduling
import StageGraph

struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Follows a result back to the files it was made of and the teacher calls behind it.",
        discussion: """
            Of a checkpoint, a report or any other output: the stages before it, with results, files and teacher calls. With \
            --record: where that record and what it was made of stand, and the calls about it, word by word.
            """)

    @OptionGroup var pipelineOptions: PipelineOptions

    @Argument(help: "STAGE or STAGE.OUTPUT.")
    var reference: String

    @Option(help: "Follows the record of this id.")
    var record: String?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    @Option(help: "json writes one JSON object, with parameters and whole digests.")
    var format = OutputFormat.text

    func run() async throws {
        let file = try pipelineOptions.loadFile()
        let output = try OutputReference(reference, in: file.pipeline)
        let pipeline = file.pipeline.restricted(to: [output.node.name])
        let (store, _) = try tierOptions.open(storeOptions, for: file, access: .readOnly)
        let engine = Engine(store: store, options: Engine.Options(jobs: 1, programs: Programs.besideThisOne()))
        let plan = try await engine.plan(pipeline)
        if let missing = plan.stages.first(where: { $0.outputs == nil }) {
            StandardStream.error.line(
                "error: \(missing.name) is not up to date, and a trace follows results that are: "
                    + "retort run \(pipelineOptions.file) --target \(output.node.name)")
            throw ExitStatus.failure
        }
        let target = StageGraph.OutputReference(stage: output.node.name, output: output.port.name)
        let trace = try Trace(target, in: pipeline, plan, engine: engine, record: record)
        if let record, !trace.places.contains(where: { $0.output == target }) {
            StandardStream.error.line("error: \(target) has no record \"\(record)\"\(Self.hint(trace))")
            throw ExitStatus.usage
        }
        StandardStream.output.line(
            format == .json ? trace.json.canonicalText : TraceText.lines(trace).joined(separator: "\n"))
    }

    /// Where else the record stands.
    private static func hint(_ trace: Trace) -> String {
        trace.places.last.map { "; the last that has it is \($0.output)" } ?? ", and neither has any before it"
    }
}
