import CanonicalJSON
import ContentStore
import StageGraph

/// What a plan knows of an output before it exists, or from the store: its records, and how they are cut into shards.
struct KnownRecords {
    private struct Part {
        let prefix: ShardPrefix
        /// In ``KnownRecords/records``.
        var indices: [Int]
    }

    let records: [JSONObject]
    private let hashes: [Digest]
    /// In the order of their prefixes; together they hold all records.
    private let parts: [Part]

    /// - Parameter prefixes: in order and disjoint, all records under them. O(n log n).
    init(records: [JSONObject], prefixes: [ShardPrefix]) {
        self.records = records
        let hashes = records.map { Digest(of: $0["id"]?.string ?? "") }
        var rest = hashes.indices.sorted { hashes[$0] < hashes[$1] }[...]
        parts = prefixes.map { prefix in
            let inside = rest.prefix { prefix.contains(hashes[$0]) }
            rest = rest.dropFirst(inside.count)
            return Part(prefix: prefix, indices: Array(inside))
        }
        self.hashes = hashes
    }

    /// As an action that makes a whole artifact would cut them. O(n log n).
    init(records: [JSONObject], limit: ShardLimit) {
        let entries = records.map {
            Partition.Entry(id: $0["id"]?.string ?? "", bytes: JSON.object($0).canonicalBytes.count + 1)
        }
        self.init(records: records, prefixes: Partition.shards(of: entries, limit: limit).map(\.prefix))
    }

    var prefixes: [ShardPrefix] { parts.map(\.prefix) }

    /// The parts under a prefix that is as coarse as theirs or coarser. O(log n) besides the parts themselves.
    private func parts(under prefix: ShardPrefix) -> some Sequence<Part> {
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].prefix < prefix { low = middle + 1 } else { high = middle }
        }
        return parts[low...].prefix { prefix.isPrefix(of: $0.prefix) }
    }

    /// The digests of the ids that lie under a prefix.
    func ids(under prefix: ShardPrefix) -> [Digest] { parts(under: prefix).flatMap(\.indices).map { hashes[$0] } }

    /// The shards that lie under a prefix, as a stage would write them. Vacant ones are left out.
    func shards(under prefix: ShardPrefix) throws -> [Shard] {
        try parts(under: prefix).filter { !$0.indices.isEmpty }.map { part in
            let bytes = try CanonicalRecords.encode(part.indices.map { .object(records[$0]) })
            return Shard(
                prefix: part.prefix, digest: Digest(of: bytes), records: part.indices.count, bytes: bytes.count)
        }
    }
}

/// Which actions of a map stage the store knows, when its inputs are known although they are not in the store.
struct KnownActions {
    let node: StageNode
    /// By role.
    let inputs: [String: KnownRecords]
    /// What keys hold of files and of programs, as the plan found them.
    let sources: [ActionPreimage.Input]?
    let programs: [ActionPreimage.Input]

    private var shardedInputs: [InputBinding] { node.inputs.filter { $0.port.distribution == .sharded } }

    /// The digests of the ids of all records that actions on these shards see.
    func ids(under prefixes: [ShardPrefix]) -> Set<Digest> {
        var ids: Set<Digest> = []
        for input in shardedInputs { ids.formUnion(prefixes.flatMap(inputs[input.role]!.ids)) }
        return ids
    }

    /// The prefixes of the actions whose results are not in the store, among all of them.
    ///
    /// - Throws: what encoding records or looking into the store throws.
    func missing(in store: LocalStore) throws -> [ShardPrefix] {
        let sharded = shardedInputs
        let prefixes = Partition.coarsening(of: sharded.map { inputs[$0.role]!.prefixes })
        guard let sources else { return prefixes }
        let whole = try node.inputs.filter { $0.port.distribution == .whole }.map { input in
            let shards = try inputs[input.role]!.shards(under: .root)
            let artifact = try Artifact(type: input.port.type, shards: shards)
            return ActionPreimage.Input(role: input.role, contents: [.init(digest: artifact.digest)])
        }
        let keys = try prefixes.map { prefix in
            let parts = try sharded.map { input in
                ActionPreimage.Input(
                    role: input.role,
                    contents: try inputs[input.role]!.shards(under: prefix).map { .init(digest: $0.digest) })
            }
            return ActionPreimage(
                scope: .action, stage: node.signature.name, version: node.signature.version, shard: prefix.text,
                parameters: node.parameters.keyed, inputs: parts + whole, sources: sources, programs: programs
            ).key
        }
        return zip(prefixes, try store.lookup(keys)).filter { $1.outputs == nil }.map(\.0)
    }
}
