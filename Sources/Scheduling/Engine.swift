import ContentStore
import StageGraph

/// Runs and plans pipelines over a store.
public struct Engine: Sendable {
    /// How a run is carried out. None of it changes a result.
    public struct Options: Sendable {
        /// CPU slots.
        public var jobs: Int
        /// After a failure, go on with what does not depend on it.
        public var keepGoing: Bool
        /// Where the programs that stages start lie, by name.
        public var programs: [String: String]

        public init(jobs: Int, keepGoing: Bool = false, programs: [String: String] = [:]) {
            self.jobs = jobs
            self.keepGoing = keepGoing
            self.programs = programs
        }
    }

    public let store: LocalStore
    public let options: Options

    public init(store: LocalStore, options: Options) {
        self.store = store
        self.options = options
    }

    /// Runs what has to run. Cancelling the surrounding task stops the run: running actions are cancelled, finished
    /// ones stay finished.
    ///
    /// Failures of actions are part of the report; this throws only when the store itself cannot be used.
    public func run(
        _ pipeline: Pipeline, observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) async throws -> RunReport {
        let history = try RunHistory.load(pipeline.name, store: store)
        let run = try Run(pipeline, mode: .run, engine: self, history: history, observer: observer)
        let report = await withTaskCancellationHandler {
            await run.execute()
        } onCancel: {
            run.cancel()
        }
        let now = run.history()
        if now != history { try now.save(pipeline.name, store: store) }
        return report
    }

    /// Says what a run would do, without doing it.
    public func plan(_ pipeline: Pipeline) async throws -> Plan {
        let history = try RunHistory.load(pipeline.name, store: store)
        let run = try Run(pipeline, mode: .plan, engine: self, history: history, observer: { _ in })
        _ = await run.execute()
        return run.plan()
    }

    /// What a stage made in the pipeline's last run, up to date or not; nil when it never finished, or when what it made
    /// is gone.
    public func lastOutputs(of node: StageNode, in pipeline: Pipeline) throws -> [String: Artifact]? {
        guard let key = try RunHistory.load(pipeline.name, store: store)[node.name],
            case .hit(let outputs) = try store.lookup(key)
        else { return nil }
        return try ResultCoding.decodeArtifacts(outputs, signature: node.signature, store: store)
    }
}
