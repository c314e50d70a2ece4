import CanonicalJSON
import ContentStore
import StageGraph

/// What a pipeline's stages last resulted in, so that a plan can say what changed since, and how long their actions
/// took, so that a run can start the longest chain first.
struct RunHistory: Sendable, Equatable {
    /// For each stage the key of its memo or only action.
    private(set) var keys: [String: Digest] = [:]
    /// The key before that one, where there was another.
    private(set) var previous: [String: Digest] = [:]
    /// Seconds an executed action took in the mean, in the last run that executed any.
    var seconds: [String: Double] = [:]

    subscript(stage: String) -> Digest? { keys[stage] }

    mutating func record(_ key: Digest, of stage: String) {
        if let old = keys[stage], old != key { previous[stage] = old }
        keys[stage] = key
    }

    mutating func keep(stages: Set<String>) {
        keys = keys.filter { stages.contains($0.key) }
        previous = previous.filter { stages.contains($0.key) }
        seconds = seconds.filter { stages.contains($0.key) }
    }

    static func load(_ pipeline: String, store: LocalStore) throws -> RunHistory {
        var history = RunHistory()
        guard let document = try store.readDocument(name(pipeline)) else { return history }
        history.keys = digests(document, "stages")
        history.previous = digests(document, "previous")
        for (stage, value) in document["seconds"]?.object?.members ?? [] {
            history.seconds[stage] = value.double.flatMap { $0 >= 0 ? $0 : nil }
        }
        return history
    }

    private static func digests(_ document: JSONObject, _ field: String) -> [String: Digest] {
        var digests: [String: Digest] = [:]
        for (stage, key) in document[field]?.object?.members ?? [] {
            digests[stage] = key.string.flatMap { Digest(hex: $0) }
        }
        return digests
    }

    /// Keeps the history, and a root with everything it names, so that garbage collection spares the last run.
    ///
    /// - Parameter known: The keys of the actions behind some of the memos, which need not be read then.
    func save(_ pipeline: String, store: LocalStore, known: [Digest: [Digest]] = [:]) throws {
        func object(_ digests: [String: Digest]) -> JSON {
            .object(JSONObject(digests.map { ($0.key, .string($0.value.hex)) }))
        }
        try store.setRoot(
            Root(name: "last-run-\(Digest(of: pipeline).short)", actions: try actions(store: store, known: known)))
        try store.writeDocument(
            RunHistory.name(pipeline),
            JSONObject([
                ("pipeline", .string(pipeline)), ("stages", object(keys)), ("previous", object(previous)),
                ("seconds", .object(JSONObject(seconds.map { ($0.key, .number($0.value)) }))),
            ]))
    }

    /// The keys of the stages and of all their actions.
    func actions(store: LocalStore, known: [Digest: [Digest]] = [:]) throws -> [Digest] {
        try keys.values.flatMap { key -> [Digest] in
            if let actions = known[key] { return [key] + actions }
            guard let result = try store.result(for: key) else { return [] }
            return [key] + (try ActionKeys(ofOutputs: result.outputs, store: store)?.byPrefix.map(\.key) ?? [])
        }
    }

    private static func name(_ pipeline: String) -> String { "last-run-\(Digest(of: pipeline).short)" }
}
