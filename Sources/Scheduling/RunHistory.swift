import CanonicalJSON
import ContentStore
import StageGraph

/// What a pipeline's stages last resulted in, so that a plan can say what changed since.
struct RunHistory: Sendable, Equatable {
    /// For each stage the key of its memo or only action.
    private(set) var keys: [String: Digest] = [:]

    subscript(stage: String) -> Digest? {
        get { keys[stage] }
        set { keys[stage] = newValue }
    }

    static func load(_ pipeline: String, store: LocalStore) throws -> RunHistory {
        var history = RunHistory()
        guard let document = try store.readDocument(name(pipeline)) else { return history }
        for (stage, key) in try document.object("stages").members {
            history.keys[stage] = key.string.flatMap { Digest(hex: $0) }
        }
        return history
    }

    /// Keeps the history, and a root with everything it names, so that garbage collection spares the last run.
    func save(_ pipeline: String, store: LocalStore) throws {
        let stages = JSONObject(keys.map { ($0.key, .string($0.value.hex)) })
        try store.setRoot(
            Root(name: "last-run-\(Digest(of: pipeline).short)", actions: try actions(store: store)))
        try store.writeDocument(
            RunHistory.name(pipeline), JSONObject([("pipeline", .string(pipeline)), ("stages", .object(stages))]))
    }

    /// The keys of the stages and of all their actions.
    private func actions(store: LocalStore) throws -> [Digest] {
        try keys.values.flatMap { key -> [Digest] in
            guard let result = try store.result(for: key) else { return [] }
            return [key] + (try ActionKeys(of: result, store: store)?.byPrefix.compactMap(\.key) ?? [])
        }
    }

    private static func name(_ pipeline: String) -> String { "last-run-\(Digest(of: pipeline).short)" }
}

/// The keys of a map stage's actions, as its memo remembers them.
struct ActionKeys {
    let byPrefix: [(prefix: ShardPrefix, key: Digest)]

    /// Nil for a result that is no memo, or whose keys are gone.
    init?(of memo: ActionResult, store: LocalStore) throws {
        guard let blob = memo.outputs["keys"]?.string.flatMap({ Digest(hex: $0) }), try store.contains(blob),
            let object = try JSON.parse(store.read(blob, limit: Artifact.maximumManifestBytes)).object
        else { return nil }
        byPrefix = object.members.compactMap { prefix, key in
            guard let prefix = ShardPrefix(prefix), let key = key.string.flatMap({ Digest(hex: $0) }) else {
                return nil
            }
            return (prefix, key)
        }
    }
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
        guard
            let action = try ActionKeys(of: last, store: store)?.byPrefix.first(where: { $0.prefix.overlaps(prefix) }),
            let result = try store.result(for: action.key)
        else { return nil }
        return try ActionPreimage(json: result.preimage.object ?? .init())
    }
}
