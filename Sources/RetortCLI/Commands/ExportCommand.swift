import ArgumentParser
import ContentStore
import StageGraph

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes what a stage made to a file or folder of your own.",
        discussion: """
            Records become a JSON Lines file, compressed where its name ends with .zst; tensors a folder of safetensors \
            files, one a shard; a tree a folder: a student's checkpoint is one that transformers, vLLM and the converter \
            of llama.cpp read.
            """)

    @OptionGroup var pipelineOptions: PipelineOptions

    @Argument(help: "STAGE or STAGE.OUTPUT.")
    var reference: String

    @Argument(help: "The file or folder to write.", completion: .file())
    var destination: String

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    @Flag(help: "Replaces what is there, once the new one is complete.")
    var force = false

    func run() async throws {
        var destination = destination
        while destination.count > 1, destination.hasSuffix("/") { destination.removeLast() }
        let output = try await StoredOutput(reference, of: pipelineOptions, in: storeOptions, tierOptions)
        let export = ArtifactExport(artifact: output.artifact, layout: output.port.layout, store: output.store)
        do {
            try export.write(to: destination, replaces: force)
        } catch let occupied as ArtifactExport.Occupied {
            StandardStream.error.line("error: \(occupied.path) is there already; --force replaces it")
            throw ExitStatus.usage
        }
        let what = output.port.layout == .tree ? "files" : "records"
        StandardStream.error.line("exported \(output.artifact.count) \(what) to \(destination)")
    }
}
