import ArgumentParser
import CanonicalJSON
import ContentStore
import Scheduling
import StageGraph

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Says what a run would execute, and why, without executing it.")

    @OptionGroup var pipelineOptions: PipelineOptions
    @OptionGroup var targetOptions: TargetOptions
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var engineOptions: EngineOptions

    @Option(help: "json writes the plan as one JSON object.")
    var format = OutputFormat.text

    func run() async throws {
        let pipeline = try targetOptions.restrict(pipelineOptions.load())
        let plan = try await engineOptions.engine(storeOptions.open(access: .readOnly)).plan(pipeline)
        switch format {
        case .json: StandardStream.output.line(plan.json.canonicalText)
        case .text: StandardStream.output.line(PlanText(plan).text)
        }
        if plan.stages.contains(where: { $0.problem != nil }) { throw ExitStatus.failure }
    }
}
