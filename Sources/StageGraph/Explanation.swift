import CanonicalJSON
import ContentStore

/// Why an action has to run.
public enum Reason: Sendable, Equatable {
    /// No result of this stage and shard was ever seen by this pipeline in this store.
    case neverRan
    /// A field of the key differs from the last run's.
    case changed(field: String, old: JSON, new: JSON)
    /// The result is known but some of its content is no longer in the store.
    case resultLost(missing: [Digest])

    public var json: JSON {
        switch self {
        case .neverRan: ["reason": "never-ran"]
        case .changed(let field, let old, let new):
            ["reason": "changed", "field": .string(field), "old": old, "new": new]
        case .resultLost(let missing):
            ["reason": "result-lost", "missing": .array(missing.map { .string($0.hex) })]
        }
    }
}

extension Reason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .neverRan: "never ran"
        case .changed(let field, let old, let new): "\(field): \(brief(old)) → \(brief(new))"
        case .resultLost(let missing):
            "result lost: blob \(missing.first?.short ?? "?") missing"
                + (missing.count > 1 ? " and \(missing.count - 1) more" : "")
        }
    }

    private func brief(_ value: JSON) -> String {
        if case .null = value { return "none" }
        return value.canonicalText
    }
}

extension ActionPreimage {
    /// The fields in which this pre-image differs from an earlier one, in the order stage, version, parameters,
    /// inputs, sources, programs. Empty exactly when the keys are equal.
    public func changes(since old: ActionPreimage) -> [Reason] {
        var reasons: [Reason] = []
        if old.stage != stage {
            reasons.append(.changed(field: "stage type", old: .string(old.stage), new: .string(stage)))
        }
        if old.version != version {
            reasons.append(
                .changed(field: "stage version", old: .integer(Int64(old.version)), new: .integer(Int64(version))))
        }
        reasons += Self.changes(
            .object(old.parameters), .object(parameters), path: "parameter ", separator: "")
        reasons += Self.changes(old.inputs, inputs, kind: "input")
        reasons += Self.changes(old.sources, sources, kind: "file")
        reasons += Self.changes(old.programs, programs, kind: "program")
        if old.partition != partition {
            reasons.append(
                .changed(
                    field: "shards", old: .integer(Int64(old.partition.count)),
                    new: .integer(Int64(partition.count))))
        }
        return reasons
    }

    private static func changes(_ old: JSON, _ new: JSON, path: String, separator: String) -> [Reason] {
        guard old != new else { return [] }
        guard let before = old.object, let after = new.object else {
            return [.changed(field: path, old: old, new: new)]
        }
        return JSONObject((before.keys + after.keys).map { ($0, JSON.null) }).keys.flatMap { key in
            changes(before[key] ?? .null, after[key] ?? .null, path: path + separator + key, separator: ".")
        }
    }

    private static func changes(_ old: [Input], _ new: [Input], kind: String) -> [Reason] {
        let before = JSONObject(old.map { ($0.role, summary($0)) })
        let after = JSONObject(new.map { ($0.role, summary($0)) })
        return JSONObject((before.keys + after.keys).map { ($0, JSON.null) }).keys.compactMap { role in
            let (old, new) = (before[role] ?? .null, after[role] ?? .null)
            return old == new ? nil : .changed(field: "\(kind) \(role)", old: old, new: new)
        }
    }

    /// A short value that differs exactly when the contents differ.
    private static func summary(_ input: Input) -> JSON {
        if input.contents.count == 1, let content = input.contents.first {
            return summary(content)
        }
        return .array(input.contents.map(summary))
    }

    private static func summary(_ content: Content) -> JSON {
        guard let records = content.records else { return .string(content.digest.short) }
        return .string("\(records) records (\(content.digest.short))")
    }
}
