import CanonicalJSON
import ContentStore

extension ActionPreimage {
    /// The fields in which this pre-image differs from an earlier one, in the order stage, version, shard, parameters,
    /// inputs, sources, programs, partition. Empty exactly when the keys are equal. O(size).
    public func changes(since old: ActionPreimage) -> [Reason] {
        var reasons = scalarChanges(since: old)
        for difference in JSON.object(parameters).differences(from: .object(old.parameters)) {
            reasons.append(
                .changed(field: "parameter \(difference.name)", old: difference.old, new: difference.new))
        }
        reasons += Self.pairs(old.inputs, inputs).flatMap(Self.inputChanges)
        reasons += Self.pairs(old.sources, sources).compactMap(Self.sourceChange)
        reasons += Self.pairs(old.programs, programs).compactMap { role, old, new in
            Self.areAlike(old, new)
                ? nil : .changed(field: "program \(role)", old: Self.summary(old), new: Self.summary(new))
        }
        if old.partition != partition {
            reasons.append(
                .changed(field: "shards", old: Self.summary(old.partition), new: Self.summary(partition)))
        }
        return reasons
    }

    private func scalarChanges(since old: ActionPreimage) -> [Reason] {
        let fields: [(String, JSON?, JSON?)] = [
            ("scope", .string(old.scope.rawValue), .string(scope.rawValue)),
            ("stage type", .string(old.stage), .string(stage)),
            ("stage version", .integer(Int64(old.version)), .integer(Int64(version))),
            ("shard", old.shard.map { .string($0) }, shard.map { .string($0) }),
        ]
        return fields.compactMap { name, old, new in old == new ? nil : .changed(field: name, old: old, new: new) }
    }

    /// Two groups side by side, role by role.
    private static func pairs(_ old: [Input], _ new: [Input]) -> [(role: String, old: Input?, new: Input?)] {
        var pairs: [(role: String, old: Input?, new: Input?)] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            let order =
                i == old.count ? 1 : j == new.count ? -1 : compareUTF8(old[i].role, new[j].role)
            let (before, after) = (order <= 0 ? old[i] : nil, order >= 0 ? new[j] : nil)
            pairs.append((role: (before ?? after)!.role, old: before, new: after))
            if order <= 0 { i += 1 }
            if order >= 0 { j += 1 }
        }
        return pairs
    }

    private static func areAlike(_ old: Input?, _ new: Input?) -> Bool {
        guard let old, let new else { return (old == nil) == (new == nil) }
        return old.contents.map(\.digest) == new.contents.map(\.digest)
    }

    /// The shards that came, went or changed; a shard that only moved counts as gone and come.
    private static func inputChanges(_ role: String, _ old: Input?, _ new: Input?) -> [Reason] {
        guard !areAlike(old, new) else { return [] }
        let (before, after) = (old?.contents ?? [], new?.contents ?? [])
        guard (before + after).allSatisfy({ $0.label != nil }) else {
            guard max(before.count, after.count) <= 1 else {
                return [.changed(field: "input \(role)", old: summary(old), new: summary(new))]
            }
            guard !before.isEmpty || !after.isEmpty else {
                return [.changed(field: "input \(role)", old: bound(old), new: bound(new))]
            }
            return [.inputChanged(InputChange(role: role, old: before.first, new: after.first))]
        }
        let earlier = Dictionary(before.map { ($0.label!, $0) }, uniquingKeysWith: { first, _ in first })
        let later = Dictionary(after.map { ($0.label!, $0) }, uniquingKeysWith: { first, _ in first })
        let changes = Set(earlier.keys).union(later.keys).sorted().compactMap { label -> Reason? in
            guard earlier[label]?.digest != later[label]?.digest else { return nil }
            return .inputChanged(InputChange(role: role, shard: label, old: earlier[label], new: later[label]))
        }
        // Same shards in another order, or an input bound to nothing where there was none.
        return changes.isEmpty ? [.changed(field: "input \(role)", old: bound(old), new: bound(new))] : changes
    }

    private static func sourceChange(_ role: String, _ old: Input?, _ new: Input?) -> Reason? {
        guard !areAlike(old, new) else { return nil }
        guard max(old?.contents.count ?? 1, new?.contents.count ?? 1) == 1 else {
            return .changed(field: "file \(role)", old: summary(old), new: summary(new))
        }
        let (before, after) = (old?.contents.first, new?.contents.first)
        return .sourceChanged(
            SourceChange(
                parameter: role, file: after?.label ?? before?.label, old: before?.digest, new: after?.digest))
    }

    /// A short value that differs exactly when the contents differ.
    private static func summary(_ input: Input?) -> JSON? {
        guard let input else { return nil }
        if input.contents.count == 1 { return .string(input.contents[0].digest.short) }
        return .array(input.contents.map { .string($0.digest.short) })
    }

    private static func bound(_ input: Input?) -> JSON? {
        input.map { .array($0.contents.map { .string($0.digest.short) }) }
    }

    private static func summary(_ partition: [ShardPrefix]) -> JSON { .array(partition.map { .string($0.text) }) }
}
