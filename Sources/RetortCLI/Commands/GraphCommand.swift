import ArgumentParser
import StageGraph

struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draws the pipeline as a Mermaid or DOT graph.")

    enum Language: String, ExpressibleByArgument, CaseIterable {
        case mermaid
        case dot
    }

    @OptionGroup var pipelineOptions: PipelineOptions
    @OptionGroup var targetOptions: TargetOptions

    @Option(help: "mermaid or dot.")
    var format = Language.mermaid

    func run() throws {
        let pipeline = try targetOptions.restrict(pipelineOptions.load())
        switch format {
        case .mermaid: StandardStream.output.line(pipeline.mermaid)
        case .dot: StandardStream.output.line(pipeline.dot)
        }
    }
}
