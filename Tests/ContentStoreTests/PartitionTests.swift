import Testing

@testable import ContentStore

@Suite struct ShardPrefixTests {
    @Test(arguments: ["", "0", "1", "0110", String(repeating: "1", count: 64)])
    func textRoundTrips(text: String) throws {
        let prefix = try #require(ShardPrefix(text))
        #expect(prefix.text == text)
        #expect(prefix.length == text.count)
        #expect(prefix.description == (text.isEmpty ? "*" : text))
        #expect(ShardPrefix(prefix.description) == prefix)
    }

    @Test(arguments: ["2", "01a", "0 ", "**", String(repeating: "0", count: 65)])
    func otherTextIsNoPrefix(text: String) {
        #expect(ShardPrefix(text) == nil)
    }

    @Test func childrenShareOutTheirParent() throws {
        var prefix = ShardPrefix.root
        let hash = Digest(of: "some id")
        for depth in 0..<64 {
            #expect(prefix.length == depth)
            #expect(prefix.contains(hash))
            let children = try #require(prefix.children)
            #expect(children.zero.contains(hash) != children.one.contains(hash))
            #expect(prefix.isPrefix(of: children.zero) && prefix.isPrefix(of: children.one))
            #expect(!children.zero.overlaps(children.one))
            #expect(prefix < children.zero && children.zero < children.one)
            prefix = children.zero.contains(hash) ? children.zero : children.one
        }
        #expect(prefix.children == nil)
        #expect(prefix.text == String(String(hash.leadingBits, radix: 2).leftPadded(to: 64)))
    }
}

extension String {
    fileprivate func leftPadded(to count: Int) -> String { String(repeating: "0", count: count - self.count) + self }
}

@Suite struct PartitionTests {
    typealias Entry = Partition.Entry

    /// Each shard as the ids it holds.
    static func shards(_ set: [String: Int], _ limit: ShardLimit, _ generator: inout SeededGenerator) -> [ShardPrefix:
        [String]]
    {
        let records = set.sorted { $0.key < $1.key }.shuffled(using: &generator)
        let parts = Partition.shards(of: records.map { Entry(id: $0.key, bytes: $0.value) }, limit: limit)
        return Dictionary(
            uniqueKeysWithValues: parts.map { part in (part.prefix, part.indices.map { records[$0].key }.sorted()) })
    }

    @Test func everyRecordIsInTheOneShardItBelongsTo() {
        var generator = SeededGenerator(seed: 2)
        for size in [0, 1, 2, 3, 10, 100, 3000] {
            let entries = (0..<size).map { Entry(id: "r\($0)", bytes: Int.random(in: 1...100, using: &generator)) }
            let limit = ShardLimit(records: 7, bytes: 300)
            let parts = Partition.shards(of: entries, limit: limit)
            #expect(parts.flatMap(\.indices).sorted() == Array(0..<size))
            #expect(parts.map(\.prefix) == parts.map(\.prefix).sorted())
            for (index, part) in parts.enumerated() {
                #expect(!part.indices.isEmpty)
                #expect(part.indices.allSatisfy { part.prefix.contains(entries[$0].idHash) })
                #expect(part.bytes == part.indices.reduce(0) { $0 + entries[$1].bytes })
                #expect(part.indices.count <= 7 && part.bytes <= 300 || part.indices.count == 1)
                #expect(parts[..<index].allSatisfy { !$0.prefix.overlaps(part.prefix) })
            }
        }
    }

    @Test func aShardSplitsOnlyWhereItMust() {
        var generator = SeededGenerator(seed: 3)
        let entries = (0..<2000).map { Entry(id: "r\($0)", bytes: Int.random(in: 1...100, using: &generator)) }
        let limit = ShardLimit(records: 20, bytes: 900)
        for part in Partition.shards(of: entries, limit: limit) where part.prefix.length > 0 {
            let parent = ShardPrefix(bits: part.prefix.bits, length: part.prefix.length - 1)
            let under = entries.filter { parent.contains($0.idHash) }
            #expect(under.count > limit.records || under.reduce(0) { $0 + $1.bytes } > limit.bytes)
        }
    }

    @Test func theSetAloneDecidesWhateverItsOrderAndHistory() {
        var generator = SeededGenerator(seed: 4)
        let limit = ShardLimit(records: 8, bytes: 400)
        for _ in 0..<30 {
            var set: [String: Int] = [:]
            for _ in 0..<200 {
                let id = "r\(Int.random(in: 0..<150, using: &generator))"
                set[id] = Bool.random(using: &generator) ? Int.random(in: 1...60, using: &generator) : nil
            }
            let first = PartitionTests.shards(set, limit, &generator)
            let second = PartitionTests.shards(set, limit, &generator)
            #expect(first == second)
        }
    }

    @Test func oneEditChangesOneShardOrSplitsOrMergesThere() {
        var generator = SeededGenerator(seed: 5)
        let limit = ShardLimit(records: 8, bytes: 400)
        var set: [String: Int] = [:]
        var before = PartitionTests.shards(set, limit, &generator)
        for step in 0..<1500 {
            let id = "r\(Int.random(in: 0..<300, using: &generator))"
            set[id] = Int.random(in: 0..<3, using: &generator) > 0 ? Int.random(in: 1...60, using: &generator) : nil
            let after = PartitionTests.shards(set, limit, &generator)
            #expect(PartitionTests.isOneSplitOrMerge(before, after, Digest(of: id)), "step \(step)")
            before = after
        }
    }

    /// Whether the shards outside the smallest subtree that holds the record and is a shard before or after (or was
    /// empty) are untouched.
    static func isOneSplitOrMerge(
        _ before: [ShardPrefix: [String]], _ after: [ShardPrefix: [String]], _ hash: Digest
    ) -> Bool {
        let holders = [before, after].compactMap { $0.keys.first { $0.contains(hash) } }
        guard let top = holders.min(by: { $0.length < $1.length }) else { return before == after }
        func outside(_ shards: [ShardPrefix: [String]]) -> [ShardPrefix: [String]] {
            shards.filter { !top.isPrefix(of: $0.key) }
        }
        return outside(before) == outside(after)
    }

    @Test func recordsAboveTheLimitStandAlone() {
        let entries = (0..<20).map { Entry(id: "r\($0)", bytes: 10_000) }
        let parts = Partition.shards(of: entries, limit: ShardLimit(records: 512, bytes: 100))
        #expect(parts.count == 20)
        #expect(parts.allSatisfy { $0.indices.count == 1 })
    }

    @Test func idsWhoseDigestsCannotBeToldApartStayTogether() {
        let entries = (0..<5).map { _ in Entry(id: "same", bytes: 10) }
        let parts = Partition.shards(of: entries, limit: ShardLimit(records: 1, bytes: 100))
        #expect(parts.count == 1)
        #expect(parts[0].prefix.length == 64)
    }

    @Test func coarseningCoversEachShardByExactlyOnePrefix() throws {
        func prefixes(_ texts: String...) throws -> [ShardPrefix] { try texts.map { try #require(ShardPrefix($0)) } }
        let a = try prefixes("00", "01", "10", "110", "111")
        let b = try prefixes("0", "100", "101", "11")
        #expect(Partition.coarsening(of: [a, b]) == (try prefixes("0", "10", "11")))
        #expect(Partition.coarsening(of: [a, try prefixes("*")]) == [.root])
        #expect(Partition.coarsening(of: [[], []]).isEmpty)
        #expect(
            Partition.coarsening(of: [try prefixes("01"), try prefixes("00", "1")]) == (try prefixes("00", "01", "1")))
    }

    @Test func coarseningOfRandomPartitionsCovers() {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<50 {
            let partitions = (0..<3).map { _ in
                let count = Int.random(in: 0...200, using: &generator)
                let ids = (0..<count).map { _ in Entry(id: "r\(Int.random(in: 0..<500, using: &generator))", bytes: 10)
                }
                return Partition.shards(of: ids, limit: ShardLimit(records: 5, bytes: 1000)).map(\.prefix)
            }
            let coarse = Partition.coarsening(of: partitions)
            let all = partitions.flatMap { $0 }
            #expect(all.allSatisfy { shard in coarse.filter { $0.isPrefix(of: shard) }.count == 1 })
            #expect(coarse.allSatisfy { all.contains($0) })
        }
    }
}
