import ArgumentParser
import CanonicalJSON
import ContentStore
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

    @Flag(help: "Draws aligned pairs: both sides with their key steps marked, in colour on a terminal.")
    var draw = false

    @Option(help: "Prints so many records at most.")
    var limit: Int?

    @Flag(help: "Prints the manifest: shards with prefix, digest, records and bytes.")
    var manifest = false

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit is \(limit); it cannot be negative") }
        if draw && manifest { throw ValidationError("--draw and --manifest exclude each other") }
    }

    func run() async throws {
        let output = try await StoredOutput(reference, of: pipelineOptions, in: storeOptions, tierOptions)
        try print(output.artifact, output.port, output.store)
    }

    private func print(_ artifact: Artifact, _ port: OutputPort, _ store: LocalStore) throws {
        if manifest { return StandardStream.output.write(artifact.manifest + [UInt8(ascii: "\n")]) }
        if draw { return try drawPairs(artifact, port, store) }
        var rest = limit ?? Int.max
        switch port.layout {
        case .records:
            for shard in artifact.shards {
                guard rest > 0 else { return }
                let lines = try store.read(shard)
                let end = RecordLines.end(of: &rest, in: lines)
                StandardStream.output.write(Array(lines[..<end]))
            }
        case .tensors:
            for shard in artifact.shards {
                guard rest > 0 else { return }
                for record in try TensorRecords.decode(store.read(shard), type: artifact.type).prefix(rest) {
                    StandardStream.output.line(record.canonicalText)
                    rest -= 1
                }
            }
        case .tree: try printTree(artifact, store)
        }
    }

    private func drawPairs(_ artifact: Artifact, _ port: OutputPort, _ store: LocalStore) throws {
        guard artifact.type == AlignmentDrawing.artifactType else {
            StandardStream.error.line(
                "error: \(reference) holds \(artifact.type); --draw needs aligned pairs, such as the output "
                    + "alignments of the stage alignment")
            throw ExitStatus.usage
        }
        let drawing = AlignmentDrawing(isColoured: StandardStream.output.isTerminal)
        var rest = limit ?? Int.max
        for shard in artifact.shards {
            for line in try store.read(shard).split(separator: UInt8(ascii: "\n")) {
                guard rest > 0 else { return }
                StandardStream.output.line(try drawing.text(line))
                rest -= 1
            }
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
