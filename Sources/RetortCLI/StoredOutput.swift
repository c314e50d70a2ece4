import ContentStore
import PipelineFile
import Scheduling
import StageGraph

/// What a stage made, for commands that look at it.
struct StoredOutput {
    let artifact: Artifact
    let port: OutputPort
    let store: LocalStore

    /// The artifact a run would end with; else the one of the last run, with a word about it.
    ///
    /// - Parameter reference: `STAGE` or `STAGE.OUTPUT`.
    /// - Throws: ``ExitStatus``, having said what is wrong; what the store throws.
    init(
        _ reference: String, of pipelineOptions: PipelineOptions, in storeOptions: StoreOptions, _ tiers: TierOptions
    ) async throws {
        let file = try pipelineOptions.loadFile()
        let output = try OutputReference(reference, in: file.pipeline)
        let (node, name) = (output.node, output.port.name)
        (store, _) = try tiers.open(storeOptions, for: file, access: .readOnly)
        port = output.port
        let engine = Engine(store: store, options: Engine.Options(jobs: 1, programs: Programs.besideThisOne()))
        let plan = try await engine.plan(file.pipeline.restricted(to: [node.name]))
        if let current = plan.stages.first(where: { $0.name == node.name })?.outputs?[name] {
            artifact = current
            return
        }
        guard let last = try engine.lastOutputs(of: node, in: file.pipeline)?[name] else {
            StandardStream.error.line(
                "error: \(node.name) has not been run, or what it made is gone: "
                    + "retort run \(pipelineOptions.file) --target \(node.name)")
            throw ExitStatus.failure
        }
        StandardStream.error.line(
            "note: this is from the last run; something changed since, and `retort plan` says what")
        artifact = last
    }
}
