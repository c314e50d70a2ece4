import ArgumentParser
import CanonicalJSON
import ContentStore
import PipelineFile
import Scheduling
import StageGraph
import Stages

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Says what a run would execute, and why, without executing it.")

    @OptionGroup var pipelineOptions: PipelineOptions
    @OptionGroup var targetOptions: TargetOptions
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions
    @OptionGroup var engineOptions: EngineOptions

    @Option(help: "json writes the plan as one JSON object.")
    var format = OutputFormat.text

    func run() async throws {
        let file = try pipelineOptions.loadFile()
        let pipeline = try targetOptions.restrict(file.pipeline)
        let (store, _) = try tierOptions.open(storeOptions, for: file, access: .readOnly)
        let plan = try await engineOptions.engine(store).plan(pipeline)
        let preview = try await CallPreview(pipeline, plan, store: store)
        switch format {
        case .json:
            var object = plan.json.object!
            object["teacher_calls"] = preview.json
            StandardStream.output.line(JSON.object(object).canonicalText)
        case .text:
            StandardStream.output.line((PreviewText.lines(preview) + [PlanText(plan).text]).joined(separator: "\n"))
        }
        if plan.stages.contains(where: { $0.problem != nil }) { throw ExitStatus.failure }
    }
}
