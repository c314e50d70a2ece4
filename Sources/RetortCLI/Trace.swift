import CanonicalJSON
import ContentStore
import Scheduling
import StageGraph
import Stages
import Teachers

/// Where a result comes from: the stages before it, the files they read, and the teacher calls they made.
struct Trace {
    /// A stage that the result depends on, or its own.
    struct Step {
        let node: StageNode
        let outputs: [String: Artifact]
        let sources: [(source: SourcePath, digest: Digest)]
        var calls = Calls()
        /// The file of its recorded answers, where it has one.
        let recording: String?
    }

    /// The calls of a stage, summed up.
    struct Calls {
        var count = 0
        /// Those that this machine's ledger does not have.
        var unknown = 0
        var promptTokens = 0
        var completionTokens = 0
        /// US dollars; nil where no call has a price.
        var cost: Double?
        var teachers: Set<String> = []
        /// The first and the last in UTC, such as 2026-11-24.
        var days: ClosedRange<String>?

        mutating func add(_ call: CallTrace.Call) {
            count += 1
            guard let entry = call.entry else {
                unknown += 1
                return
            }
            promptTokens += entry.response.usage?.promptTokens ?? 0
            completionTokens += entry.response.usage?.completionTokens ?? 0
            if let price = entry.cost { cost = (cost ?? 0) + price }
            let (name, endpoint) = (entry.origin.teacher, entry.origin.endpoint)
            teachers.insert(endpoint.isEmpty ? name : "\(name) at \(endpoint)")
            if !entry.day.isEmpty {
                days = min(days?.lowerBound ?? entry.day, entry.day)...max(days?.upperBound ?? entry.day, entry.day)
            }
        }
    }

    /// A record of the given id, where it stands.
    struct Place {
        let output: StageGraph.OutputReference
        let shard: Shard
        let record: JSON
    }

    let target: StageGraph.OutputReference
    private(set) var steps: [Step]
    /// With a record: where it and what it was made of stand, in the order of the stages.
    private(set) var places: [Place] = []
    /// With a record: the calls about it, with the stage that made them.
    private(set) var calls: [(stage: String, call: CallTrace.Call)] = []

    /// - Parameters:
    ///   - plan: of the pipeline that `target` needs, all of it cached.
    ///   - record: the id to follow; a part such as `q-1#right` stands for `q-1` before it was made.
    /// - Complexity: O(records of the stages that ask), in memory and time.
    init(
        _ target: StageGraph.OutputReference, in pipeline: Pipeline, _ plan: Plan, engine: Engine, record: String?
    ) throws {
        self.target = target
        steps = []
        let tracer = try CallTrace(store: engine.store)
        let ids = record.map { Trace.names($0) }
        var artifacts: [StageGraph.OutputReference: Artifact] = [:]
        for (node, planned) in zip(pipeline.stages, plan.stages) {
            let outputs = planned.outputs ?? [:]
            for (name, artifact) in outputs { artifacts[.init(stage: node.name, output: name)] = artifact }
            var step = Step(
                node: node, outputs: outputs, sources: try engine.sourceDigests(of: node),
                recording: CallTrace.recording(of: node))
            try tracer.visitCalls(of: node, inputs: artifacts, about: ids) { call in
                step.calls.add(call)
                if ids != nil { calls.append((node.name, call)) }
            }
            steps.append(step)
            guard let ids else { continue }
            for port in node.signature.outputs where port.layout != .tree {
                let output = StageGraph.OutputReference(stage: node.name, output: port.name)
                places += try Trace.places(of: ids, in: output, artifacts[output], engine.store)
            }
        }
    }

    /// A record's id, and the id of the record it is a part of.
    private static func names(_ record: String) -> Set<String> {
        var names: Set = [record]
        var rest = record[...]
        while let hash = rest.lastIndex(of: "#"), hash > rest.startIndex {
            rest = rest[..<hash]
            names.insert(String(rest))
        }
        return names
    }

    private static func places(
        of ids: Set<String>, in output: StageGraph.OutputReference, _ artifact: Artifact?, _ store: LocalStore
    ) throws -> [Place] {
        guard let artifact else { return [] }
        return try ids.sorted().flatMap { id -> [Place] in
            let hash = Digest(of: id)
            guard let shard = artifact.shards.first(where: { $0.prefix.contains(hash) }) else { return [] }
            let bytes = try store.read(shard)
            let records = try StoredRecords.decode(bytes, of: artifact, shard)
            return records.filter { $0["id"]?.string == id }.map { Place(output: output, shard: shard, record: $0) }
        }
    }
}
