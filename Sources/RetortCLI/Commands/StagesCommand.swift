import ArgumentParser
import StageGraph
import Stages

struct StagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stages", abstract: "Describes the stage types a pipeline may use, with parameters and ports.")

    @Argument(help: "A stage type; all of them unless given.")
    var name: String?

    func run() throws {
        guard let name else { return StandardStream.output.line(StageReference.markdown(.edit)) }
        guard let type = StageLibrary.edit[name] else {
            let nearest =
                nearestName(to: name, among: StageLibrary.edit.names).map { "; did you mean \"\($0)\"?" } ?? ""
            StandardStream.error.line("error: there is no stage type \"\(name)\"\(nearest)")
            throw ExitStatus.usage
        }
        StandardStream.output.line(StageReference.section(type.signature).joined(separator: "\n"))
    }
}
