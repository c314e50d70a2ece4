import CanonicalJSON
import ContentStore
import StageGraph

/// The keys of a map stage's actions and what became of their records, as the stage's memo remembers them.
///
/// In the memo's `keys` blob: `{"prefix": ["key", in, out]}`, with a fourth element `{"reason": count}` where records
/// were dropped. Memos of earlier versions have the key alone.
struct ActionKeys: Sendable {
    struct Action: Sendable {
        let prefix: ShardPrefix
        let key: Digest
        /// Without costs; nil where an earlier version did not write it.
        let accounting: Accounting?
    }

    /// In the order of the prefixes.
    let byPrefix: [Action]

    init(_ actions: [Action]) { byPrefix = actions }

    /// Nil for the outputs of a result that is no memo, or whose keys are gone.
    ///
    /// - Parameter outputs: The `outputs` of a stage's result.
    init?(ofOutputs outputs: JSON, store: LocalStore) throws {
        guard let blob = outputs["keys"]?.string.flatMap({ Digest(hex: $0) }), try store.contains(blob),
            let object = try JSON.parse(store.read(blob, limit: Artifact.maximumManifestBytes)).object
        else { return nil }
        byPrefix = object.members.compactMap(Self.action).sorted { $0.prefix < $1.prefix }
    }

    /// The blob: canonical JSON, written without making JSON values of a hundred thousand keys. O(actions).
    var document: [UInt8] {
        var bytes = Array("{".utf8)
        bytes.reserveCapacity(byPrefix.count * 128)
        // In the order of the prefixes, texts of zeros and ones are in the order of their bytes.
        for action in byPrefix {
            bytes.append(contentsOf: bytes.count > 1 ? ",\"".utf8 : "\"".utf8)
            bytes.append(contentsOf: action.prefix.text.utf8)
            bytes.append(contentsOf: "\":".utf8)
            Self.value(action).write(to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// The action on exactly this shard. O(log n).
    func action(at prefix: ShardPrefix) -> Action? {
        let index = byPrefix.firstIndex(orderedBy: { $0.prefix < prefix })
        return index < byPrefix.count && byPrefix[index].prefix == prefix ? byPrefix[index] : nil
    }

    /// The key of the action on exactly this shard, else of one that shared records with it. O(log n).
    func key(at prefix: ShardPrefix) -> Digest? {
        // Ordered so, the shard itself or the first one under it comes next, and one above it directly before.
        let next = byPrefix.firstIndex(orderedBy: { $0.prefix < prefix })
        for index in [next, next - 1] where byPrefix.indices.contains(index) {
            if byPrefix[index].prefix.overlaps(prefix) { return byPrefix[index].key }
        }
        return nil
    }

    private static func value(_ action: Action) -> JSON {
        let key = JSON.string(action.key.hex)
        guard let accounting = action.accounting else { return key }
        var fields = [key, .integer(Int64(accounting.recordsIn)), .integer(Int64(accounting.recordsOut))]
        if !accounting.dropped.isEmpty {
            fields.append(.object(JSONObject(accounting.dropped.map { ($0.key, .integer(Int64($0.value))) })))
        }
        return .array(fields)
    }

    /// Nil for what this code did not write: then the action is looked up by itself.
    private static func action(_ prefix: String, _ value: JSON) -> Action? {
        guard let prefix = ShardPrefix(prefix) else { return nil }
        if let key = value.string.flatMap({ Digest(hex: $0) }) {
            return Action(prefix: prefix, key: key, accounting: nil)
        }
        guard let fields = value.array, (3...4).contains(fields.count),
            let key = fields[0].string.flatMap({ Digest(hex: $0) }), let recordsIn = fields[1].integer,
            let recordsOut = fields[2].integer
        else { return nil }
        var dropped: [String: Int] = [:]
        if fields.count == 4 {
            for (reason, count) in fields[3].object?.members ?? [] { dropped[reason] = count.integer.map { Int($0) } }
        }
        return Action(
            prefix: prefix, key: key,
            accounting: Accounting(recordsIn: Int(recordsIn), recordsOut: Int(recordsOut), dropped: dropped))
    }
}
