public import CanonicalJSON

/// What became of a record or a file between two artifacts.
public enum ArtifactChange: Sendable, Equatable {
    case recordAdded(JSON)
    case recordRemoved(JSON)
    case recordChanged(id: String, fields: [JSONDifference])
    case fileAdded(TreeEntry)
    case fileRemoved(TreeEntry)
    case fileChanged(old: TreeEntry, new: TreeEntry)
}

/// Two artifacts record by record or file by file.
public struct ArtifactComparison: Sendable, Equatable {
    public var added = 0
    public var removed = 0
    public var changed = 0
    public var same = 0

    /// Compares `old` with `new` and hands over each change: of trees in the order of the paths, of records shard by
    /// shard, in a shard by id.
    ///
    /// Shards with equal digests are not read. At most one shard of each side is in memory at a time.
    ///
    /// - Parameters:
    ///   - readOld: The records of a shard of `old`, in any order.
    ///   - readNew: The same for `new`.
    /// - Throws: ``ContentStoreError`` with code `malformed` where one is a tree and the other is not or a record has no
    ///   id, and what the closures throw.
    /// - Complexity: O(shards log shards + size of the shards that differ).
    public init(
        _ old: Artifact, _ new: Artifact, readOld: (Shard) throws -> [JSON], readNew: (Shard) throws -> [JSON],
        each: (ArtifactChange) throws -> Void
    ) throws {
        switch (old.content, new.content) {
        case (.tree(let before), .tree(let after)): try compareFiles(before, after, each)
        case (.shards(let before), .shards(let after)):
            try compareShards(before, after, readOld: readOld, readNew: readNew, each)
        default:
            throw ContentStoreError(
                .malformed, "the artifacts \(old.digest.short) and \(new.digest.short)",
                "one holds files (\(old.tree.isEmpty ? new.type : old.type)), the other records",
                remedy: "compare artifacts of one type")
        }
    }

    private mutating func compareFiles(
        _ old: [TreeEntry], _ new: [TreeEntry], _ each: (ArtifactChange) throws -> Void
    ) throws {
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            let order = i == old.count ? 1 : j == new.count ? -1 : compareUTF8(old[i].path, new[j].path)
            if order < 0 {
                removed += 1
                try each(.fileRemoved(old[i]))
            } else if order > 0 {
                added += 1
                try each(.fileAdded(new[j]))
            } else if old[i] == new[j] {
                same += 1
            } else {
                changed += 1
                try each(.fileChanged(old: old[i], new: new[j]))
            }
            if order <= 0 { i += 1 }
            if order >= 0 { j += 1 }
        }
    }

    /// Under each of the coarsest prefixes one side has a single shard and the other any number of finer ones.
    private mutating func compareShards(
        _ old: [Shard], _ new: [Shard], readOld: (Shard) throws -> [JSON], readNew: (Shard) throws -> [JSON],
        _ each: (ArtifactChange) throws -> Void
    ) throws {
        var (i, j) = (0, 0)
        for prefix in Partition.coarsening(of: [old.map(\.prefix), new.map(\.prefix)]) {
            let before = old[i...].prefix { prefix.isPrefix(of: $0.prefix) }
            let after = new[j...].prefix { prefix.isPrefix(of: $0.prefix) }
            (i, j) = (before.endIndex, after.endIndex)
            if before.count == 1, after.count == 1, before.first == after.first {
                same += before.first!.records
            } else if before.count == 1, before.first!.prefix == prefix {
                var whole = try Records(readOld(before.first!))
                for shard in after { try compare(whole.take(shard.prefix), Records(readNew(shard)), each) }
                try compare(whole, Records([]), each)
            } else {
                var whole = try Records(readNew(after.first!))
                for shard in before { try compare(Records(readOld(shard)), whole.take(shard.prefix), each) }
                try compare(Records([]), whole, each)
            }
        }
    }

    private mutating func compare(_ old: Records, _ new: Records, _ each: (ArtifactChange) throws -> Void) throws {
        let (before, after) = (old.sorted, new.sorted)
        var (i, j) = (0, 0)
        while i < before.count || j < after.count {
            let order = i == before.count ? 1 : j == after.count ? -1 : compareUTF8(before[i].id, after[j].id)
            if order < 0 {
                removed += 1
                try each(.recordRemoved(before[i].record))
            } else if order > 0 {
                added += 1
                try each(.recordAdded(after[j].record))
            } else {
                let fields = after[j].record.differences(from: before[i].record)
                if fields.isEmpty {
                    same += 1
                } else {
                    changed += 1
                    try each(.recordChanged(id: after[j].id, fields: fields))
                }
            }
            if order <= 0 { i += 1 }
            if order >= 0 { j += 1 }
        }
    }

    /// The records of a shard, with their ids.
    private struct Records {
        var sorted: [(id: String, record: JSON)]

        init(_ records: [JSON]) throws {
            sorted = try records.map { record in
                guard let id = record["id"]?.string else {
                    throw ContentStoreError(
                        .malformed, "a record", "it has no id",
                        remedy: "correct the stage that makes these records, and run it again")
                }
                return (id, record)
            }.sorted { compareUTF8($0.id, $1.id) < 0 }
        }

        private init(sorted: [(id: String, record: JSON)]) { self.sorted = sorted }

        /// Removes and returns the records under a prefix.
        mutating func take(_ prefix: ShardPrefix) -> Records {
            let part = sorted.filter { prefix.contains(Digest(of: $0.id)) }
            sorted.removeAll { prefix.contains(Digest(of: $0.id)) }
            return Records(sorted: part)
        }
    }
}
