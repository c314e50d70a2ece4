import ArgumentParser
import CanonicalJSON
import ContentStore
import PipelineFile
import Scheduling
import StageGraph
import Stages

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints what a stage made: records as JSON Lines, a tree as its files.")

    @OptionGroup var pipelineOptions: PipelineOptions

    @Argument(help: "STAGE or STAGE.OUTPUT.")
    var reference: String

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    @Option(help: "For a tree, prints this file instead of the list.")
    var path: String?

    @Flag(help: "Prints the manifest: shards with prefix, digest, records and bytes.")
    var manifest = false

    func run() async throws {
        let file = try pipelineOptions.loadFile()
        let pipeline = file.pipeline
        let output = try OutputReference(reference, in: pipeline)
        let (node, port) = (output.node, output.port)
        let (store, _) = try tierOptions.open(storeOptions, for: file, access: .readOnly)
        let engine = Engine(
            store: store, options: Engine.Options(jobs: 1, programs: Programs.besideThisOne()))
        try print(try await artifact(node, port, pipeline, engine), port, store)
    }

    /// The artifact a run would end with; else the one of the last run, with a word about it.
    private func artifact(
        _ node: StageNode, _ port: OutputPort, _ pipeline: Pipeline, _ engine: Engine
    ) async throws -> Artifact {
        let plan = try await engine.plan(pipeline.restricted(to: [node.name]))
        if let current = plan.stages.first(where: { $0.name == node.name })?.outputs?[port.name] { return current }
        guard let last = try engine.lastOutputs(of: node, in: pipeline)?[port.name] else {
            StandardStream.error.line(
                "error: \(node.name) has not been run, or what it made is gone: "
                    + "retort run \(pipelineOptions.file) --target \(node.name)")
            throw ExitStatus.failure
        }
        StandardStream.error.line(
            "note: this is from the last run; something changed since, and `retort plan` says what")
        return last
    }

    private func print(_ artifact: Artifact, _ port: OutputPort, _ store: LocalStore) throws {
        if manifest { return StandardStream.output.write(artifact.manifest + [UInt8(ascii: "\n")]) }
        switch port.layout {
        case .records:
            for shard in artifact.shards { StandardStream.output.write(try store.read(shard)) }
        case .tensors:
            for shard in artifact.shards {
                for record in try TensorRecords.decode(store.read(shard), type: artifact.type) {
                    StandardStream.output.line(record.canonicalText)
                }
            }
        case .tree: try printTree(artifact, store)
        }
    }

    private func printTree(_ artifact: Artifact, _ store: LocalStore) throws {
        guard let path else {
            for entry in artifact.tree {
                StandardStream.output.line("\(entry.digest.short) \(entry.bytes) \(entry.path)")
            }
            return
        }
        guard let entry = artifact.tree.first(where: { $0.path == path }) else {
            let files = artifact.tree.map(\.path).joined(separator: ", ")
            StandardStream.error.line("error: there is no file \(path) in it; the files are \(files)")
            throw ExitStatus.usage
        }
        StandardStream.output.write(try store.read(entry.digest, bytes: entry.bytes))
    }
}
