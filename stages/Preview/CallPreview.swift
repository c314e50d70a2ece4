import CanonicalJSON
import ContentStore
import Glibc
import StageGraph
import Teachers

/// The teacher calls that a run would make, before it makes any.
///
/// Stages that need no teacher and no program are rehearsed in memory, so the first teacher stage of a pipeline is
/// counted exactly: each of its requests is looked up in the ledger. Of a stage behind it nobody knows yet which
/// questions it gets; for it an upper bound is given.
public struct CallPreview: Sendable {
    public struct Stage: Sendable, Equatable {
        public var name: String
        /// Whether the numbers of calls are exact; else they are upper bounds.
        public var isExact: Bool
        /// Calls to make. How many further samples a question takes depends on what the first ones say, so a stage with
        /// `samples` above 1 has an upper bound: all of them.
        public var calls: Int
        /// Questions of the actions to run whose first sample the ledger answers, or another question of this run.
        public var answered: Int
        /// Estimates for the calls to make: prompts at 4 bytes a token, answers at the mean of those in the ledger, or
        /// at the limit when there are none.
        public var promptTokens: Int
        public var completionTokens: Int
        /// US dollars for these tokens; nil when there are no prices.
        public var cost: Double?
    }

    public let stages: [Stage]

    public var json: JSON {
        .array(
            stages.map { stage in
                [
                    "stage": .string(stage.name), "exact": .bool(stage.isExact), "calls": .integer(Int64(stage.calls)),
                    "answered": .integer(Int64(stage.answered)),
                    "prompt_tokens": .integer(Int64(stage.promptTokens)),
                    "completion_tokens": .integer(Int64(stage.completionTokens)),
                    "cost": stage.cost.map { .number($0) } ?? nil,
                ]
            })
    }

    /// - Complexity: O(records before the teacher stages), in memory and time.
    /// - Throws: ``LedgerError``, or what reading the store throws.
    public init(_ pipeline: Pipeline, _ plan: Plan, store: LocalStore) async throws {
        let path = LedgerAccess.path(in: store.localDirectory)
        let ledger = access(path, F_OK) == 0 ? try ResponseLedger(path: path) : nil
        var rehearsal = Rehearsal(
            store: store, files: try StatCache(for: store), ledger: ledger,
            meanCompletion: try ledger?.meanCompletionTokens())
        var stages: [Stage] = []
        for (node, planned) in zip(pipeline.stages, plan.stages) {
            if let stage = try await rehearsal.visit(node, planned) { stages.append(stage) }
        }
        self.stages = stages
    }
}

/// Walks a pipeline and keeps what is known of each output.
private struct Rehearsal {
    let store: LocalStore
    let files: StatCache
    let ledger: ResponseLedger?
    let meanCompletion: Int?
    private var known: [OutputReference: KnownRecords] = [:]
    private var artifacts: [OutputReference: Artifact] = [:]
    /// How many records an output has at most, where they are not known.
    private var bounds: [OutputReference: Int] = [:]
    private var meanPrompt = 500
    /// Calls that stages before make: a request is made once, whichever stages ask.
    private var asked: Set<RequestKey> = []

    init(store: LocalStore, files: StatCache, ledger: ResponseLedger?, meanCompletion: Int?) {
        self.store = store
        self.files = files
        self.ledger = ledger
        self.meanCompletion = meanCompletion
    }

    mutating func visit(_ node: StageNode, _ planned: Plan.PlannedStage) async throws -> CallPreview.Stage? {
        if let outputs = planned.outputs {
            for (name, artifact) in outputs { artifacts[reference(node, name)] = artifact }
            return node.stage is any AskingStage ? CallPreview.Stage(nothingFor: node.name) : nil
        }
        let inputs = try records(of: node)
        guard let stage = node.stage as? any AskingStage else {
            if let inputs, node.stage.programs.isEmpty {
                let context = RehearsalContext(
                    node, inputs: inputs.mapValues(\.records), localDirectory: store.localDirectory, files: files)
                if (try? await node.stage.run(context)) != nil {
                    for (name, output) in context.outputs { keep(output, of: node, name, inputs) }
                    return nil
                }
            }
            setBounds(node)
            return nil
        }
        setBounds(node)
        guard let inputs else { return estimate(node.name, stage) }
        return try count(node, stage, inputs, planned)
    }

    /// A map stage writes under the shards of its inputs, any other stage under those of its own limit.
    private mutating func keep(
        _ output: (records: [JSONObject], limit: ShardLimit), of node: StageNode, _ name: String,
        _ inputs: [String: KnownRecords]
    ) {
        guard node.signature.granularity == .map else {
            known[reference(node, name)] = KnownRecords(records: output.records, limit: output.limit)
            return
        }
        let sharded = node.inputs.filter { $0.port.distribution == .sharded }
        known[reference(node, name)] = KnownRecords(
            records: output.records, prefixes: Partition.coarsening(of: sharded.map { inputs[$0.role]!.prefixes }))
    }

    private func reference(_ node: StageNode, _ output: String) -> OutputReference {
        OutputReference(stage: node.name, output: output)
    }

    /// The records behind each role; nil when some are not known yet.
    private mutating func records(of node: StageNode) throws -> [String: KnownRecords]? {
        var inputs: [String: KnownRecords] = [:]
        for binding in node.inputs {
            if known[binding.source] == nil, let artifact = artifacts[binding.source], artifact.tree.isEmpty {
                let records = try artifact.shards.flatMap { shard in
                    try CanonicalRecords.decode(store.read(shard)).compactMap(\.object)
                }
                known[binding.source] = KnownRecords(records: records, prefixes: artifact.shards.map(\.prefix))
            }
            guard let records = known[binding.source] else { return nil }
            inputs[binding.role] = records
        }
        return inputs
    }

    /// No stage has more records than come in by its first port.
    private mutating func setBounds(_ node: StageNode) {
        let bound = node.inputs.first.map { input in
            known[input.source]?.records.count ?? artifacts[input.source]?.count ?? bounds[input.source] ?? 0
        }
        for output in node.signature.outputs { bounds[reference(node, output.name)] = bound ?? 0 }
        boundOfStage = bound ?? 0
    }

    private var boundOfStage = 0

    private mutating func count(
        _ node: StageNode, _ stage: any AskingStage, _ inputs: [String: KnownRecords], _ planned: Plan.PlannedStage
    ) throws -> CallPreview.Stage? {
        guard !stage.settings.isRecorded else { return nil }
        let context = RehearsalContext(
            node, inputs: inputs.mapValues(\.records), localDirectory: store.localDirectory, files: files)
        // Where the plan could not decide, because a stage before has to run, its rehearsal decides.
        let actions = KnownActions(node: node, inputs: inputs, sources: planned.sources, programs: planned.programs)
        let toRun = planned.decidedAfter.isEmpty ? planned.toRun.map(\.prefix) : try actions.missing(in: store)
        let ids = actions.ids(under: toRun)
        let requests = try stage.requests(context).filter { ids.contains(Digest(of: $0.id)) }
        let teacher = try stage.settings.identityOnly(context)
        let samples = requests.flatMap { request in
            (0..<stage.settings.samples).map { index in
                var sample = request
                sample.sampleIndex = index
                return sample
            }
        }
        let keys = samples.map { RequestKey($0, to: teacher) }
        let answers = try ledger?.responses(for: keys) ?? [:]
        let missing = zip(keys, samples).filter { answers[$0.0] == nil && asked.insert($0.0).inserted }.map(\.1)
        let promptTokens = missing.reduce(0) { $0 + $1.likelyPromptTokens }
        if !missing.isEmpty { meanPrompt = promptTokens / missing.count }
        return result(
            node.name, stage, isExact: stage.settings.samples == 1 || missing.isEmpty, calls: missing.count,
            answered: requests.count - missing.count { $0.sampleIndex == 0 }, promptTokens: promptTokens)
    }

    private func estimate(_ name: String, _ stage: any AskingStage) -> CallPreview.Stage? {
        guard !stage.settings.isRecorded else { return nil }
        let calls = boundOfStage * stage.settings.samples
        return result(name, stage, isExact: false, calls: calls, answered: 0, promptTokens: calls * meanPrompt)
    }

    private func result(
        _ name: String, _ stage: any AskingStage, isExact: Bool, calls: Int, answered: Int, promptTokens: Int
    ) -> CallPreview.Stage {
        let limit = stage.settings.sampling.maxTokens ?? 2048
        let completionTokens = calls * min(meanCompletion ?? limit, limit)
        let usage = TeacherResponse.Usage(promptTokens: promptTokens, completionTokens: completionTokens)
        return CallPreview.Stage(
            name: name, isExact: isExact, calls: calls, answered: answered, promptTokens: promptTokens,
            completionTokens: completionTokens, cost: stage.settings.chat?.prices?.cost(of: usage))
    }
}

extension CallPreview.Stage {
    fileprivate init(nothingFor name: String) {
        self.init(
            name: name, isExact: true, calls: 0, answered: 0, promptTokens: 0, completionTokens: 0, cost: nil)
    }
}
