import CanonicalJSON
import ContentStore
import StageGraph

/// What a pipeline's stages last resulted in: kept under roots/, so that garbage collection spares it and a plan can
/// say what changed since.
struct RunHistory: Sendable, Equatable {
    /// For each stage the key of its memo or only action.
    private(set) var keys: [String: Digest] = [:]

    subscript(stage: String) -> Digest? {
        get { keys[stage] }
        set { keys[stage] = newValue }
    }

    static func load(_ pipeline: String, store: LocalStore) throws -> RunHistory {
        var history = RunHistory()
        guard let root = try store.readRoot(rootName(pipeline)) else { return history }
        for (stage, key) in try root.object("stages").members {
            history.keys[stage] = key.string.flatMap { Digest(hex: $0) }
        }
        return history
    }

    /// Writes the root unless it says the same already.
    func save(_ pipeline: String, store: LocalStore) throws {
        guard try RunHistory.load(pipeline, store: store) != self else { return }
        let stages = JSONObject(keys.map { ($0.key, .string($0.value.hex)) })
        try store.writeRoot(
            RunHistory.rootName(pipeline),
            JSONObject([("pipeline", .string(pipeline)), ("stages", .object(stages))]))
    }

    private static func rootName(_ pipeline: String) -> String { "pipeline-\(Digest(of: pipeline).short)" }
}

/// Says why an action runs, from what the pipeline's last run left in the store.
struct Explainer {
    let history: RunHistory
    let store: LocalStore

    /// The reasons an action has to run: never empty.
    func reasons(_ node: StageNode, _ prefix: ShardPrefix, _ preimage: ActionPreimage, lost: [Digest]) throws
        -> [Reason]
    {
        if !lost.isEmpty { return [.resultLost(missing: lost)] }
        guard let old = try lastPreimage(node, prefix) else { return [.neverRan] }
        let changes = preimage.changes(since: old)
        return changes.isEmpty ? [.neverRan] : changes
    }

    private func lastPreimage(_ node: StageNode, _ prefix: ShardPrefix) throws -> ActionPreimage? {
        guard let key = history[node.name], let last = try store.result(for: key) else { return nil }
        guard node.signature.granularity == .map else {
            return try ActionPreimage(json: last.preimage.object ?? .init())
        }
        guard let keys = last.outputs["keys"]?.string.flatMap({ Digest(hex: $0) }),
            try store.contains(keys),
            let byPrefix = try JSON.parse(store.read(keys, limit: Artifact.maximumManifestBytes)).object,
            let action = byPrefix.members.first(where: { ShardPrefix($0.key)?.overlaps(prefix) ?? false }),
            let hex = action.value.string, let actionKey = Digest(hex: hex),
            let result = try store.result(for: actionKey)
        else { return nil }
        return try ActionPreimage(json: result.preimage.object ?? .init())
    }
}
