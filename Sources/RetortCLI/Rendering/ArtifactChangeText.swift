import CanonicalJSON
import ContentStore

/// The changes between two artifacts, in lines and as JSON.
enum ArtifactChangeText {
    /// Values longer than this are cut in lines; JSON has them whole.
    private static let shownCharacters = 80

    static func line(_ change: ArtifactChange) -> String {
        switch change {
        case .recordAdded(let record): return "+ \(record["id"]?.string ?? "")"
        case .recordRemoved(let record): return "- \(record["id"]?.string ?? "")"
        case .recordChanged(let id, let fields):
            let parts = fields.map { "\($0.name): \(brief($0.old)) → \(brief($0.new))" }
            return "~ \(id): \(parts.joined(separator: "; "))"
        case .fileAdded(let file): return "+ \(file.path) (\(file.bytes) bytes)"
        case .fileRemoved(let file): return "- \(file.path) (\(file.bytes) bytes)"
        case .fileChanged(let old, let new):
            let size =
                old.bytes == new.bytes ? "\(new.bytes) bytes, other content" : "\(old.bytes) → \(new.bytes) bytes"
            return "~ \(new.path) (\(size))"
        }
    }

    static func json(_ change: ArtifactChange) -> JSON {
        switch change {
        case .recordAdded(let record): ["change": "added", "record": record]
        case .recordRemoved(let record): ["change": "removed", "record": record]
        case .recordChanged(let id, let fields):
            ["change": "changed", "id": .string(id), "fields": .array(fields.map(json))]
        case .fileAdded(let file): ["change": "added", "file": json(file)]
        case .fileRemoved(let file): ["change": "removed", "file": json(file)]
        case .fileChanged(let old, let new): ["change": "changed", "old": json(old), "new": json(new)]
        }
    }

    static func counts(_ comparison: ArtifactComparison, old: Artifact, new: Artifact) -> (text: String, json: JSON) {
        let text =
            old == new
            ? "the artifacts are the same: \(comparison.same) \(new.tree.isEmpty ? "records" : "files")"
            : "\(comparison.added) added, \(comparison.removed) removed, \(comparison.changed) changed, "
                + "\(comparison.same) the same"
        let json: JSON = [
            "event": "summary", "old": .string(old.digest.hex), "new": .string(new.digest.hex),
            "added": .integer(Int64(comparison.added)), "removed": .integer(Int64(comparison.removed)),
            "changed": .integer(Int64(comparison.changed)), "same": .integer(Int64(comparison.same)),
        ]
        return (text, json)
    }

    private static func json(_ field: JSONDifference) -> JSON {
        var object = JSONObject([("field", .array(field.path.map { .string($0) }))])
        if let old = field.old { object["old"] = old }
        if let new = field.new { object["new"] = new }
        return .object(object)
    }

    private static func json(_ file: TreeEntry) -> JSON {
        [
            "path": .string(file.path), "digest": .string(file.digest.hex), "bytes": .integer(Int64(file.bytes)),
            "executable": .bool(file.executable),
        ]
    }

    private static func brief(_ value: JSON?) -> String {
        guard let value else { return "none" }
        let text = value.canonicalText
        return text.count <= shownCharacters ? text : text.prefix(shownCharacters) + "…"
    }
}
