import CanonicalJSON
import ContentStore
import StageGraph
import Synchronization

/// Looks into what a reason names by digest, where both sides are at hand: which shards of an artifact differ, how many
/// lines of a file.
final class ReasonDetails: Sendable {
    private let store: LocalStore
    private let sources: SourceFiles
    /// Many actions of a stage have one reason: each pair of digests is looked into once.
    private let known = Mutex<[[Digest]: Detail]>([:])

    private enum Detail {
        case none
        case lines(Int)
        case files(FileChanges)
        case shards(role: String, only: InputChange?, count: Int)
    }

    init(store: LocalStore, sources: SourceFiles) {
        self.store = store
        self.sources = sources
    }

    func refine(_ reason: Reason, _ node: StageNode) throws -> Reason {
        switch reason {
        case .sourceChanged(var change):
            guard let old = change.old, let new = change.new,
                let source = node.parameters.sources.first(where: { $0.role == change.parameter })
            else { return reason }
            switch try detail([old, new], { try source.isDirectory ? files(old, source) : lines(old, source, new) }) {
            case .lines(let count): change.lines = count
            case .files(let changes): change.files = changes
            case .none, .shards: break
            }
            return .sourceChanged(change)
        case .inputChanged(let change):
            guard change.shard == nil, let old = change.old, let new = change.new, old.records != nil,
                new.records != nil
            else { return reason }
            guard
                case .shards(_, let only, let count) = try detail(
                    [old.digest, new.digest],
                    {
                        try shards(change.role, old.digest, new.digest)
                    })
            else { return reason }
            if let only {
                return .inputChanged(
                    InputChange(role: change.role, shard: only.shard, old: only.old, new: only.new))
            }
            return .inputChanged(InputChange(role: change.role, old: old, new: new, shards: count))
        default: return reason
        }
    }

    private func detail(_ pair: [Digest], _ find: () throws -> Detail) throws -> Detail {
        if let detail = known.withLock({ $0[pair] }) { return detail }
        let detail = try find()
        known.withLock { $0[pair] = detail }
        return detail
    }

    private func lines(_ old: Digest, _ source: SourcePath, _ new: Digest) throws -> Detail {
        guard try store.contains(old), let before = try? store.read(old, limit: SourceFiles.keptTextBytes),
            let after = try? SourceDirectory.read(source.path, limit: SourceFiles.keptTextBytes),
            Digest(of: after) == new
        else { return .none }
        return .lines(LineComparison.differingLines(before, after))
    }

    private func files(_ old: Digest, _ source: SourcePath) throws -> Detail {
        guard case .directory(let now)? = sources.content(of: source), try store.contains(old),
            let kept = try? store.read(old, limit: SourceFiles.keptTextBytes),
            let before = SourceManifest(encoded: kept)
        else { return .none }
        return .files(SourceManifest(now).changes(since: before))
    }

    private func shards(_ role: String, _ old: Digest, _ new: Digest) throws -> Detail {
        guard try store.missing(among: [old, new]).isEmpty, let before = try? store.readArtifact(old),
            let after = try? store.readArtifact(new)
        else { return .none }
        let earlier = Dictionary(uniqueKeysWithValues: before.shards.map { ($0.prefix, $0) })
        let later = Dictionary(uniqueKeysWithValues: after.shards.map { ($0.prefix, $0) })
        let changed = Set(earlier.keys).union(later.keys).filter { earlier[$0]?.digest != later[$0]?.digest }
        guard changed.count == 1, let prefix = changed.first else {
            return changed.isEmpty ? .none : .shards(role: role, only: nil, count: changed.count)
        }
        func content(_ shard: Shard?) -> ActionPreimage.Content? {
            shard.map { .init(digest: $0.digest, records: $0.records, label: $0.prefix.text) }
        }
        let only = InputChange(
            role: role, shard: prefix.text, old: content(earlier[prefix]), new: content(later[prefix]))
        return .shards(role: role, only: only, count: 1)
    }
}

/// How far two texts differ, line by line.
enum LineComparison {
    /// The number of lines that differ: of the lines between the common start and the common end, those that the other
    /// text does not have too, counted on the side that has more. At least 1 for texts that differ. O(size).
    static func differingLines(_ old: [UInt8], _ new: [UInt8]) -> Int {
        guard old != new else { return 0 }
        var before = old.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        var after = new.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        while let a = before.first, let b = after.first, a == b {
            before.removeFirst()
            after.removeFirst()
        }
        while let a = before.last, let b = after.last, a == b {
            before.removeLast()
            after.removeLast()
        }
        var surplus: [ArraySlice<UInt8>: Int] = [:]
        for line in before { surplus[line, default: 0] += 1 }
        for line in after { surplus[line, default: 0] -= 1 }
        let onlyOld = surplus.values.reduce(0) { $0 + max(0, $1) }
        let onlyNew = surplus.values.reduce(0) { $0 + max(0, -$1) }
        // Lines that only changed places differ where they stand.
        return max(onlyOld, onlyNew) > 0 ? max(onlyOld, onlyNew) : zip(before, after).count { $0 != $1 }
    }
}
