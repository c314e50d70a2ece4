import CanonicalJSON

/// Which files of a directory changed, came and went.
public struct FileChanges: Sendable, Equatable {
    /// The paths of some files, in order, and how many there are.
    public struct Group: Sendable, Equatable {
        /// How many paths are kept.
        public static let kept = 50

        public let paths: [String]
        public let count: Int

        init(_ paths: some Collection<String>) {
            count = paths.count
            self.paths = Array(paths.sorted { compareUTF8($0, $1) < 0 }.prefix(Group.kept))
        }
    }

    public let changed: Group
    public let added: Group
    public let removed: Group

    /// - Parameters: Paths in the directory, in any order; of many, some are kept.
    public init(
        changed: some Collection<String>, added: some Collection<String>, removed: some Collection<String>
    ) {
        self.changed = Group(changed)
        self.added = Group(added)
        self.removed = Group(removed)
    }
}

extension FileChanges: CustomStringConvertible {
    /// "config.json changed; 2 files added: a.txt, b.txt".
    public var description: String {
        let groups = [(changed, "changed"), (added, "added"), (removed, "removed")].filter { $0.0.count > 0 }
        return groups.map { $0.text($1) }.joined(separator: "; ")
    }

    var json: JSON {
        .object(
            JSONObject(
                [("changed", changed), ("added", added), ("removed", removed)].map { name, group in
                    (name, ["count": .integer(Int64(group.count)), "paths": .array(group.paths.map { .string($0) })])
                }))
    }
}

extension FileChanges.Group {
    /// How many paths ``text(_:)`` names.
    private static let shown = 3

    fileprivate func text(_ what: String) -> String {
        guard count > 1 else { return "\(paths[0]) \(what)" }
        let rest = count - min(count, Self.shown)
        let names = paths.prefix(Self.shown).joined(separator: ", ")
        return "\(count) files \(what): \(names)" + (rest > 0 ? " and \(rest) more" : "")
    }
}
