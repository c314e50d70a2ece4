import ArgumentParser
import CanonicalJSON
import ContentStore
import PipelineFile
import Scheduling
import StageGraph

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Compares two artifacts record by record, or file by file.",
        discussion: """
            retort diff FILE STAGE[.OUTPUT] compares what a stage made in its last run with what it made before that, or
            with --with-store with what it made in another store. retort diff OLD NEW compares two artifacts by their
            digests, which `show --manifest | sha256sum` and `run --format json` give.
            """)

    @Argument(help: "The pipeline file, or the digest of the old artifact.")
    var first: String

    @Argument(help: "STAGE or STAGE.OUTPUT, or the digest of the new artifact.")
    var second: String

    @OptionGroup var storeOptions: StoreOptions

    @Option(help: "The store of the old artifact, where it is another one.")
    var withStore: String?

    @Option(name: .customLong("set"), help: "Gives a pipeline parameter another value: name=value.")
    var overrides: [String] = []

    @Option(help: "json writes each change as a line of JSON; the last line counts them.")
    var format = OutputFormat.text

    func run() throws {
        let newStore = try storeOptions.open(access: .readOnly)
        let oldStore = try withStore.map { try LocalStore(at: $0, access: .readOnly) } ?? newStore
        let (old, new) = try artifacts(oldStore, newStore)
        let comparison = try ArtifactComparison(
            old, new, readOld: { try StoredRecords.decode(oldStore.read($0), of: old, $0) },
            readNew: { try StoredRecords.decode(newStore.read($0), of: new, $0) },
            each: { change in
                StandardStream.output.line(
                    format == .json ? ArtifactChangeText.json(change).canonicalText : ArtifactChangeText.line(change))
            })
        let counts = ArtifactChangeText.counts(comparison, old: old, new: new)
        StandardStream.output.line(format == .json ? counts.json.canonicalText : counts.text)
    }

    private func artifacts(_ oldStore: LocalStore, _ newStore: LocalStore) throws -> (Artifact, Artifact) {
        if let old = Digest(hex: first), let new = Digest(hex: second) {
            return (try oldStore.readArtifact(old), try newStore.readArtifact(new))
        }
        var options = PipelineOptions()
        options.file = first
        options.overrides = overrides
        let pipeline = try options.load()
        let output = try OutputReference(second, in: pipeline)
        let (node, port) = (output.node, output.port)
        let programs = Engine.Options(jobs: 1)
        let last = try Engine(store: newStore, options: programs).lastOutputs(of: node, in: pipeline)?[port.name]
        guard let new = last else { throw complain("\(node.name) has not been run, or what it made is gone") }
        let engine = Engine(store: oldStore, options: programs)
        let earlier =
            withStore == nil
            ? try engine.previousOutputs(of: node, in: pipeline) : try engine.lastOutputs(of: node, in: pipeline)
        guard let old = earlier?[port.name] else {
            throw complain(
                withStore.map { "\(node.name) has not been run in the store \($0), or what it made is gone" }
                    ?? "there is no earlier run of \(node.name) in the store to compare its last run with")
        }
        return (old, new)
    }

    private func complain(_ problem: String) -> ExitStatus {
        StandardStream.error.line("error: \(problem)")
        return .failure
    }
}
