import ContentStore
import StageGraph

/// Runs and plans pipelines over a store.
public struct Engine: Sendable {
    /// How a run is carried out. None of it changes a result.
    public struct Options: Sendable {
        /// CPU slots.
        public var jobs: Int
        /// Actions that may use an accelerator at a time.
        public var accelerators: Int
        /// Network calls that may be under way at a time.
        public var networkCalls: Int
        /// After a failure, go on with what does not depend on it.
        public var keepGoing: Bool
        /// Stages, by name, whose known results are not used: their actions run, and the new results take the places of
        /// the old ones.
        public var refreshed: Set<String> = []
        /// Where the programs that stages start lie, by name.
        public var programs: [String: String]
        /// Whether the events of a run say why each action runs.
        public var explains: Bool
        /// How often an unfinished run tells the collection what it has finished.
        var rootInterval = Duration.seconds(60)
        /// When a run that is stopped ends without its actions.
        var alarm = Alarm.dispatch

        public init(
            jobs: Int, accelerators: Int = 1, networkCalls: Int = 32, keepGoing: Bool = false,
            programs: [String: String] = [:], explains: Bool = false
        ) {
            self.jobs = jobs
            self.accelerators = accelerators
            self.networkCalls = networkCalls
            self.keepGoing = keepGoing
            self.programs = programs
            self.explains = explains
        }

        /// What the run has to give to its actions.
        var limits: Resources {
            Resources(
                cpuSlots: max(1, jobs), accelerators: max(0, accelerators), networkCalls: max(0, networkCalls))
        }
    }

    public let store: LocalStore
    public var options: Options

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
        do {
            if now != history { try now.save(pipeline.name, store: store, known: run.publishedActions) }
            try run.settle(isComplete: report.status == .ok)
        } catch {
            // The report of a run that failed says more than that the disk which stopped it is still full.
            guard report.status != .ok else { throw error }
            observer(.warning("what became of the run could not be noted for the next: \(error)"))
        }
        return report
    }

    /// Says what a run would do, without doing it.
    ///
    /// - Parameter adopting: keeps the results that were found as those of the pipeline's last run, as a run that had
    ///   nothing to do would: garbage collection spares them.
    public func plan(_ pipeline: Pipeline, adopting: Bool = false) async throws -> Plan {
        let history = try RunHistory.load(pipeline.name, store: store)
        let run = try Run(pipeline, mode: .plan, engine: self, history: history, observer: { _ in })
        _ = await run.execute()
        if adopting {
            let now = run.history()
            if now != history { try now.save(pipeline.name, store: store) }
        }
        return run.plan()
    }

    /// What a stage made in the pipeline's last run, up to date or not; nil when it never finished, or when what it made
    /// is gone.
    public func lastOutputs(of node: StageNode, in pipeline: Pipeline) throws -> [String: Artifact]? {
        try outputs(RunHistory.load(pipeline.name, store: store)[node.name], of: node)
    }

    /// What a stage made the last time that its inputs, parameters or code were others; nil when there was no such time,
    /// or when what it made then is gone.
    public func previousOutputs(of node: StageNode, in pipeline: Pipeline) throws -> [String: Artifact]? {
        try outputs(RunHistory.load(pipeline.name, store: store).previous[node.name], of: node)
    }

    /// The files and directories a stage reads, with the digests of their contents as they are now.
    ///
    /// - Throws: ``SourceError`` naming the file and the place in the pipeline file.
    public func sourceDigests(of node: StageNode) throws -> [(source: SourcePath, digest: Digest)] {
        let files = try SourceFiles(store: store)
        return try node.parameters.sources.map { ($0, try files.digest(of: $0)) }
    }

    /// The keys of all results that the pipeline's last run ended with, or stopped with; none where it was never run.
    public func actionsOfLastRun(of pipeline: Pipeline) throws -> [Digest] {
        try RunHistory.load(pipeline.name, store: store).actions(store: store)
    }

    private func outputs(_ key: Digest?, of node: StageNode) throws -> [String: Artifact]? {
        guard let key, case .hit(let outputs) = try store.lookup(key) else { return nil }
        return try ResultCoding.decodeArtifacts(outputs, signature: node.signature, store: store)
    }
}
