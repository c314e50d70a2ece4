/// Key-step statistics of alignments, by task and by origin.
public struct KeyShareTable: Sendable {
    /// A row of the table.
    public struct Row: Sendable, Equatable {
        /// `task:NAME`, `origin:NAME` or `all`.
        public var id: String
        public var pairs: Int
        /// Key tokens as a share of all tokens, pairs weighted by their length.
        public var keyShare: Double
        /// The median of the pairs' own shares; of an even number the mean of the middle two.
        public var medianKeyShare: Double
        /// Mean number of runs of edits a pair.
        public var meanSegments: Double
        /// Mean edit distance a pair, in tokens.
        public var meanDistance: Double
    }

    private struct Group {
        var tokens = 0
        var keyTokens = 0.0
        var shares: [Double] = []
        var segments = 0
        var distance = 0
    }

    private var groups: [String: Group] = [:]

    public init() {}

    public mutating func add(_ alignment: Alignment) {
        let tokens = alignment.correctTokens + alignment.wrongTokens
        for id in ["task:\(alignment.task)", "origin:\(alignment.origin.rawValue)", "all"] {
            groups[id, default: Group()].tokens += tokens
            groups[id]!.keyTokens += alignment.keyShare * Double(tokens)
            groups[id]!.shares.append(alignment.keyShare)
            groups[id]!.segments += alignment.segments.count
            groups[id]!.distance += alignment.distance
        }
    }

    /// Tasks in the order of their names, then origins, then `all`. Independent of the order of adding.
    public var rows: [Row] {
        let order = { (id: String) in id.hasPrefix("task:") ? 0 : id.hasPrefix("origin:") ? 1 : 2 }
        let ids = groups.keys.sorted { a, b in
            order(a) != order(b)
                ? order(a) < order(b) : Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))
        }
        return ids.map { id in
            let group = groups[id]!
            let shares = group.shares.sorted()
            let middle = shares.count / 2
            let pairs = Double(shares.count)
            return Row(
                id: id, pairs: shares.count,
                // Whole tokens: rounding takes out what the division into shares left.
                keyShare: group.tokens == 0 ? 0 : group.keyTokens.rounded() / Double(group.tokens),
                medianKeyShare: shares.count % 2 == 1 ? shares[middle] : (shares[middle - 1] + shares[middle]) / 2,
                meanSegments: Double(group.segments) / pairs, meanDistance: Double(group.distance) / pairs)
        }
    }
}
