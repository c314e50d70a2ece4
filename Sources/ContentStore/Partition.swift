/// How large a shard may grow before it splits in two.
public struct ShardLimit: Hashable, Sendable {
    public var records: Int
    /// Of uncompressed content.
    public var bytes: Int

    public static let standard = ShardLimit(records: 512, bytes: 4 << 20)

    public init(records: Int, bytes: Int) {
        precondition(records >= 1 && bytes >= 1, "a shard limit is at least 1")
        self.records = records
        self.bytes = bytes
    }
}

/// Which records stand together in a shard: a function of the set of records alone, not of order or history.
public enum Partition {
    /// What the partition needs to know of a record.
    public struct Entry: Sendable {
        public var idHash: Digest
        /// Of the record's line, its line feed included.
        public var bytes: Int

        public init(idHash: Digest, bytes: Int) {
            self.idHash = idHash
            self.bytes = bytes
        }

        public init(id: String, bytes: Int) { self.init(idHash: Digest(of: id), bytes: bytes) }
    }

    /// The part of a set that shares a prefix.
    public struct Part: Sendable, Equatable {
        public var prefix: ShardPrefix
        /// Positions in the array given, by the digest of their ids.
        public var indices: [Int]
        public var bytes: Int
    }

    /// Splits the set at successive bits until each part is within the limit.
    ///
    /// A part stays above the limit only where it cannot be split: one record, or ids whose digests share 64 bits.
    /// Empty parts are left out, so no records give no parts.
    ///
    /// - Returns: The parts in the order of their prefixes.
    /// - Complexity: O(n log n).
    public static func shards(of entries: [Entry], limit: ShardLimit = .standard) -> [Part] {
        let order = entries.indices.sorted {
            (entries[$0].idHash, $0) < (entries[$1].idHash, $1)
        }
        var sums = [0]
        sums.reserveCapacity(order.count + 1)
        for index in order { sums.append(sums[sums.count - 1] + entries[index].bytes) }
        var parts: [Part] = []
        split(.root, 0..<order.count)
        return parts

        func split(_ prefix: ShardPrefix, _ range: Range<Int>) {
            guard !range.isEmpty else { return }
            let bytes = sums[range.upperBound] - sums[range.lowerBound]
            let fits = range.count <= limit.records && bytes <= limit.bytes
            guard !fits, range.count > 1, let children = prefix.children else {
                parts.append(Part(prefix: prefix, indices: Array(order[range]), bytes: bytes))
                return
            }
            var low = range.lowerBound
            var high = range.upperBound
            while low < high {
                let middle = (low + high) / 2
                if children.one.bits <= entries[order[middle]].idHash.leadingBits {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            split(children.zero, range.lowerBound..<low)
            split(children.one, low..<range.upperBound)
        }
    }

    /// The shortest prefixes among several artifacts' shards: every given prefix lies under exactly one of them, and
    /// no two overlap. A stage that joins several inputs maps over these. O(n log n).
    public static func coarsening(of partitions: [[ShardPrefix]]) -> [ShardPrefix] {
        var kept: [ShardPrefix] = []
        for prefix in partitions.joined().sorted() {
            if let last = kept.last, last.isPrefix(of: prefix) { continue }
            kept.append(prefix)
        }
        return kept
    }
}
