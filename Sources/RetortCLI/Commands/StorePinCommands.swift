import ArgumentParser
import ContentStore
import Scheduling
import StageGraph

/// `retort store pin`: keeps a run, an output or an artifact from garbage collection.
struct PinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Keeps a pipeline's last run, one output of it or an artifact from `gc`, until it is unpinned.")

    @Argument(help: "A pipeline file, or the digest of an artifact.")
    var subject: String

    @Argument(help: "With a pipeline file: only this STAGE or STAGE.OUTPUT; the whole run unless given.")
    var output: String?

    @Option(name: .customLong("set"), help: "Gives a pipeline parameter another value: name=value.")
    var overrides: [String] = []

    @Option(help: "What to call the pin; named after what it keeps unless given.")
    var name: String?

    @OptionGroup var storeOptions: StoreOptions

    func run() throws {
        let store = try storeOptions.open()
        let root = try self.root(store)
        try store.setRoot(root)
        StandardStream.output.line("pinned as \(root.name); retort store unpin \(root.name) lets it go")
    }

    private func root(_ store: LocalStore) throws -> Root {
        if let digest = Digest(hex: subject) {
            guard output == nil else { throw ValidationError("an artifact's digest stands alone, without \(output!)") }
            // Reading it shows that it is an artifact, and all there.
            let artifact = try store.readArtifact(digest)
            return try Root(pinning: artifact, as: name ?? "artifact-\(digest.short)", in: store)
        }
        let pipeline = try PipelineOptions.parse([subject] + overrides.flatMap { ["--set", $0] }).load()
        let engine = Engine(store: store, options: Engine.Options(jobs: 1))
        guard let output else {
            let actions = try engine.actionsOfLastRun(of: pipeline)
            guard !actions.isEmpty else { throw notRun(pipeline.name) }
            return try Root(name: name ?? Root.allowed("run-\(pipeline.name)"), actions: actions)
        }
        let reference = try OutputReference(output, in: pipeline)
        guard let artifact = try engine.lastOutputs(of: reference.node, in: pipeline)?[reference.port.name] else {
            throw notRun(reference.node.name)
        }
        let allowed = Root.allowed("\(pipeline.name).\(reference.node.name).\(reference.port.name)")
        return try Root(pinning: artifact, as: name ?? allowed, in: store)
    }

    private func notRun(_ what: String) -> ExitStatus {
        StandardStream.error.line(
            "error: \(what) has not been run, or what it made is gone: retort run \(subject), then pin again")
        return .failure
    }
}

/// `retort store unpin`: the other way round.
struct UnpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin",
        abstract: "Lets go what was pinned under a name; `gc` frees it when nothing else needs it.")

    @Argument(help: "The name that `pin` gave, as `stats` lists it.")
    var name: String

    @OptionGroup var storeOptions: StoreOptions

    func run() throws {
        let store = try storeOptions.open()
        guard try !store.removeRoot(name) else { return StandardStream.output.line("unpinned \(name)") }
        let names = try store.roots().map(\.name)
        let others = names.isEmpty ? "there are none" : "there are \(names.joined(separator: ", "))"
        StandardStream.error.line("error: nothing is pinned as \(name); \(others)")
        throw ExitStatus.failure
    }
}

/// `retort store add`: a folder from outside as a tree artifact.
struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Keeps a folder of files, such as a checkpoint from elsewhere, as an artifact, and pins it.")

    @Argument(help: "The folder.", completion: .directory)
    var folder: String

    @Option(help: "The artifact's type: name/version.")
    var type = "files/1"

    @Option(help: "What to call the pin; named after the artifact unless given.")
    var name: String?

    @OptionGroup var storeOptions: StoreOptions

    func run() throws {
        guard let type = ArtifactType(type) else {
            throw ValidationError("--type takes name/version, such as checkpoint/1, found \"\(type)\"")
        }
        let store = try storeOptions.open()
        let artifact = try store.writeTree(at: folder, type: type)
        try store.write(artifact)
        try store.flush()
        let root = try Root(pinning: artifact, as: name ?? "artifact-\(artifact.digest.short)", in: store)
        try store.setRoot(root)
        StandardStream.output.line(
            "\(artifact.digest) \(artifact.count) files, \(StoreText.size(artifact.bytes)), pinned as \(root.name)")
    }
}

extension Root {
    /// A root for one artifact, all of whose content is there.
    init(pinning artifact: Artifact, as name: String, in store: LocalStore) throws {
        if let lost = try store.missing(among: [artifact.digest] + artifact.blobs).first {
            throw ContentStoreError(
                .missingBlob, "artifact \(artifact.digest.short)", "its blob \(lost.short) is not in the store",
                remedy: "run what makes it again, then pin it", blob: lost)
        }
        try self.init(name: name, artifacts: [artifact.digest])
    }

    /// A name of letters that names of roots may have.
    static func allowed(_ name: String) -> String {
        let letters = name.map { character in
            character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
                ? character : "_"
        }
        return String(letters.prefix(200))
    }
}
