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
        guard let blob = outputs["keys"]?.string.flatMap({ Digest(hex: $0) }), try store.contains(blob) else {
            return nil
        }
        let bytes = try store.read(blob, limit: Artifact.maximumManifestBytes)
        if let actions = Self.scan(bytes) {
            byPrefix = actions
            return
        }
        guard let object = try JSON.parse(bytes).object else { return nil }
        byPrefix = object.members.compactMap(Self.action).sorted { $0.prefix < $1.prefix }
    }

    /// The blob.
    var document: [UInt8] { Self.pieces(of: byPrefix).joined(capacity: byPrefix.count * 104) }

    /// The blob of actions in the order of their prefixes, in pieces: canonical JSON, written without making JSON values
    /// of a hundred thousand keys. O(actions).
    static func pieces<Actions: Sequence<Action>>(of actions: Actions) -> TextPieces<Actions.Iterator> {
        // In the order of the prefixes, texts of zeros and ones are in the order of their bytes.
        TextPieces(
            opening: [UInt8(ascii: "{")], actions.makeIterator(), closing: [UInt8(ascii: "}")]
        ) { action, isFirst, bytes in
            bytes.append(isFirst ? "\"" : ",\"")
            bytes.append(prefix: action.prefix)
            bytes.append("\":")
            append(action, to: &bytes)
        }
    }

    /// `["key", in, out]`, `["key", in, out, {"reason": count}]` or `"key"`.
    private static func append(_ action: Action, to bytes: inout [UInt8]) {
        bytes.append(action.accounting == nil ? "\"" : "[\"")
        bytes.append(hexadecimal: action.key)
        bytes.append("\"")
        guard let accounting = action.accounting else { return }
        bytes.append(",")
        bytes.append(decimal: accounting.recordsIn)
        bytes.append(",")
        bytes.append(decimal: accounting.recordsOut)
        if !accounting.dropped.isEmpty {
            bytes.append(",")
            JSON.object(JSONObject(accounting.dropped.map { ($0.key, .integer(Int64($0.value))) })).write(to: &bytes)
        }
        bytes.append("]")
    }

    /// What ``document(of:count:)`` wrote where no records were dropped, read without making JSON values of it; nil for
    /// anything else, which is left to the general reader. O(size).
    private static func scan(_ bytes: [UInt8]) -> [Action]? {
        bytes.withUnsafeBufferPointer { buffer in
            var scanner = ByteScanner(buffer)
            guard scanner.skip("{\"") else { return nil }
            var actions: [Action] = []
            actions.reserveCapacity(buffer.count / 80)
            repeat {
                guard let prefix = scanner.prefix(), scanner.skip("\":[\""), let key = scanner.digest(),
                    scanner.skip("\","), let recordsIn = scanner.number(), scanner.skip(","),
                    let recordsOut = scanner.number(), scanner.skip("]"),
                    actions.last.map({ $0.prefix < prefix }) ?? true
                else { return nil }
                actions.append(
                    Action(
                        prefix: prefix, key: key,
                        accounting: Accounting(recordsIn: recordsIn, recordsOut: recordsOut)))
            } while scanner.skip(",\"")
            return scanner.skip("}") && scanner.isAtEnd ? actions : nil
        }
    }

    /// The action on exactly this shard. O(log n).
    func action(at prefix: ShardPrefix) -> Action? {
        let index = byPrefix.sortedIndex(past: { $0.prefix < prefix })
        return index < byPrefix.count && byPrefix[index].prefix == prefix ? byPrefix[index] : nil
    }

    /// The key of the action on exactly this shard, else of one that shared records with it. O(log n).
    func key(at prefix: ShardPrefix) -> Digest? {
        // Ordered so, the shard itself or the first one under it comes next, and one above it directly before.
        let next = byPrefix.sortedIndex(past: { $0.prefix < prefix })
        for index in [next, next - 1] where byPrefix.indices.contains(index) {
            if byPrefix[index].prefix.overlaps(prefix) { return byPrefix[index].key }
        }
        return nil
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
