import CanonicalJSON
import ContentStore

extension Reason {
    /// The reason with its facts apart, for `--format json`. Its text is the member `text`.
    public var json: JSON {
        var object = facts
        object["text"] = .string(description)
        return .object(object)
    }

    private var facts: JSONObject {
        switch self {
        case .neverRan: JSONObject([("reason", "never-ran")])
        case .changed(let field, let old, let new):
            JSONObject([
                ("reason", "changed"), ("field", .string(field)), ("old", old ?? .null), ("new", new ?? .null),
            ])
        case .inputChanged(let change): change.facts
        case .sourceChanged(let change): change.facts
        case .resultLost(let missing):
            JSONObject([("reason", "result-lost"), ("missing", .array(missing.map { .string($0.hex) }))])
        case .resultRemoved(let key): JSONObject([("reason", "result-removed"), ("action", .string(key.hex))])
        case .lastResultRemoved(let key):
            JSONObject([("reason", "last-result-removed"), ("action", .string(key.hex))])
        case .resultUnusable(let why): JSONObject([("reason", "result-unusable"), ("problem", .string(why))])
        }
    }
}

extension InputChange {
    fileprivate var facts: JSONObject {
        var object = JSONObject([
            ("reason", "input-changed"), ("input", .string(role)), ("old", InputChange.json(old)),
            ("new", InputChange.json(new)),
        ])
        if let shard { object["shard"] = .string(shard) }
        if let shards { object["shards"] = .integer(Int64(shards)) }
        return object
    }

    private static func json(_ content: ActionPreimage.Content?) -> JSON {
        guard let content else { return .null }
        var object = JSONObject([("digest", .string(content.digest.hex))])
        if let records = content.records { object["records"] = .integer(Int64(records)) }
        return .object(object)
    }
}

extension SourceChange {
    fileprivate var facts: JSONObject {
        var object = JSONObject([
            ("reason", "file-changed"), ("parameter", .string(parameter)),
            ("old", old.map { .string($0.hex) } ?? .null), ("new", new.map { .string($0.hex) } ?? .null),
        ])
        if let file { object["file"] = .string(file) }
        if let lines { object["lines"] = .integer(Int64(lines)) }
        if let files { object["files"] = files.json }
        return object
    }
}
