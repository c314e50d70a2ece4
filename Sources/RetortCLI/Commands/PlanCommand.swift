import ArgumentParser
import CanonicalJSON
import ContentStore
import PipelineFile
import Scheduling
import StageGraph

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
        switch format {
        case .json: StandardStream.output.line(plan.json.canonicalText)
        case .text: StandardStream.output.line(PlanText(plan).text)
        }
        if plan.stages.contains(where: { $0.problem != nil }) { throw ExitStatus.failure }
    }
}
