import ArgumentParser
import CanonicalJSON
import StageGraph
import Stages

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Prints the JSON Schema of pipeline files, for editors.")

    func run() { StandardStream.output.line(StageLibrary.edit.pipelineFileSchema.canonicalText) }
}
