import ArgumentParser
import ContentStore
import HTTPTransport
import PipelineFile
import Scheduling
import StageGraph
import Stages
import StoreTiers

/// What is sent or fetched: all that a pipeline's stages made, or one artifact.
struct TransferSubject: ParsableArguments {
    @Argument(help: "A pipeline file, or the digest of an artifact.", completion: .file(extensions: ["yaml", "yml"]))
    var subject: String

    @Option(name: .customLong("set"), help: "Gives a pipeline parameter another value: name=value.")
    var overrides: [String] = []

    var artifact: Digest? { Digest(hex: subject) }

    func loadFile() throws -> PipelineFile? {
        guard artifact == nil else { return nil }
        var options = PipelineOptions()
        options.file = subject
        options.overrides = overrides
        return try options.loadFile()
    }
}

extension TierSet {
    /// The tiers a command is about; none is a mistake in the command.
    static func required(_ tiers: TierSet?, to verb: String) throws -> TierSet {
        if let tiers { return tiers }
        StandardStream.error.line(
            "error: there is no tier to \(verb); give --tier URL, or \"tiers\" in the pipeline or configuration file")
        throw ExitStatus.usage
    }
}

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract:
            "Sends what a pipeline's last run made, or one artifact, to its tiers, and again what is damaged there.")

    @OptionGroup var subject: TransferSubject
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    @Flag(
        help: """
            Reads all that the tiers hold already, to find damage; else only what has changed there or was never verified \
            from here.
            """)
    var verify = false

    @Flag(help: "Does not look at what the tiers are known to hold: damage there is not found.")
    var trustPresent = false

    func validate() throws {
        if verify && trustPresent { throw ValidationError("--verify and --trust-present exclude each other") }
    }

    func run() async throws {
        let file = try subject.loadFile()
        let (store, tiers) = try tierOptions.open(storeOptions, for: file)
        let set = try TierSet.required(tiers, to: "push to")
        var keys: [Digest] = []
        var blobs: [Digest] = []
        if let digest = subject.artifact {
            blobs = [digest] + (try store.readArtifact(digest).blobs)
        } else if let file {
            let engine = Engine(store: store, options: Engine.Options(jobs: 1))
            keys = try engine.actionsOfLastRun(of: file.pipeline)
            if keys.isEmpty {
                StandardStream.error.line("error: \(file.pipeline.name) has not been run: retort run \(file.path)")
                throw ExitStatus.failure
            }
        }
        var isComplete = true
        for tier in set.tiers {
            do {
                isComplete = try await push(keys, blobs, to: tier, set, store) && isComplete
            } catch let error as TierError {
                StandardStream.error.line("error: \(error)")
                isComplete = false
            }
        }
        if !isComplete { throw ExitStatus.failure }
    }

    private func push(
        _ keys: [Digest], _ blobs: [Digest], to tier: Tier, _ set: TierSet, _ store: LocalStore
    ) async throws -> Bool {
        let progress = TransferProgress("pushing to \(tier.name)")
        let transfer = Push(to: tier, from: store) { progress.show($0.done, of: $0.total) }
        let checking: Push.Checking = verify ? .everything : trustPresent ? .none : .changed
        let report = try await Network.run {
            try await transfer.send(results: keys, blobs: blobs, checking: checking)
        }
        set.remember(pushed: report, to: tier)
        for error in Set(report.errors.map { "\($0)" }).sorted() { StandardStream.error.line("error: \(error)") }
        let healed = report.healed.isEmpty ? "" : ", \(report.healed.count) of them because they were damaged there"
        StandardStream.output.line(
            "\(tier.name): \(report.uploaded.count) blobs sent (\(report.uploadedBytes) bytes)\(healed), "
                + "\(report.alreadyThere) there already (\(report.verified) read), \(report.results) results")
        return report.isComplete
    }
}

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetches all that a pipeline's stages made, or one artifact, from its tiers.")

    @OptionGroup var subject: TransferSubject
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var tierOptions: TierOptions

    func run() async throws {
        let file = try subject.loadFile()
        let (store, tiers) = try tierOptions.open(storeOptions, for: file)
        let set = try TierSet.required(tiers, to: "pull from")
        let progress = TransferProgress("pulling")
        let pull = Pull(from: set, to: store) { progress.show($0, of: $1) }
        var report = Pull.Report()
        var pin: Root?
        if let digest = subject.artifact {
            report = try await Network.run { try await pull.fetch(artifact: digest) }
            if report.missing.isEmpty {
                let artifact = try store.readArtifact(digest)
                pin = try Root(pinning: artifact, as: "artifact-\(digest.short)", in: store)
            }
        } else if let file {
            let engine = Engine(store: store, options: Engine.Options(jobs: 1, programs: Programs.besideThisOne()))
            // What is pulled is kept from garbage collection as a run's results are.
            let plan = try await engine.plan(file.pipeline, adopting: true)
            let artifacts = plan.stages.flatMap { ($0.outputs ?? [:]).values }
            let blobs = artifacts.flatMap { artifact in
                artifact.shards.map { (digest: $0.digest, bytes: $0.bytes) }
                    + artifact.tree.map { (digest: $0.digest, bytes: $0.bytes) }
            }
            report = try await Network.run { try await pull.fetch(blobs) }
            let open = plan.stages.filter { $0.outputs == nil }.map(\.name)
            if !open.isEmpty {
                StandardStream.error.line(
                    "note: no tier has results for \(open.joined(separator: ", ")); retort run makes them")
            }
        }
        for (digest, reason) in report.missing {
            StandardStream.error.line("error: blob \(digest.short): \(reason)")
        }
        if let pin { try store.setRoot(pin) }
        let kept = pin.map { ", pinned as \($0.name)" } ?? ""
        StandardStream.output.line("\(report.fetched) blobs fetched, \(report.alreadyHere) here already\(kept)")
        if !report.missing.isEmpty { throw ExitStatus.failure }
    }
}
