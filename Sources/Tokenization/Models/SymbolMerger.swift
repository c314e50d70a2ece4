/// Applies merges to a word: always the one of lowest rank, of several the leftmost, until none is left.
///
/// Words of a few symbols are searched in full for each merge; longer ones keep their pairs in a heap.
struct SymbolMerger {
    /// The identifiers of the word's symbols; after ``merge(_:)`` of its tokens.
    private(set) var ids: [Int32] = []
    /// The length of each symbol, in the unit the caller uses.
    private(set) var lengths: [Int32] = []
    private var packed: [UInt64] = []
    private var heap = PairHeap()
    private var previous: [Int32] = []
    private var next: [Int32] = []

    private static let longest = 96

    mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    mutating func append(_ id: Int32, length: Int32) {
        ids.append(id)
        lengths.append(length)
    }

    /// O(n²) for short words, O(n log n) for long ones.
    mutating func merge(_ merges: MergeTable) {
        guard ids.count > 1 else { return }
        let isShort = ids.count <= SymbolMerger.longest
        merges.withUnsafeLookup { lookup in
            if isShort { mergeShort(lookup) } else { mergeLong(lookup) }
        }
    }

    private mutating func mergeShort(_ lookup: MergeTable.Lookup) {
        var count = ids.count
        packed.removeAll(keepingCapacity: true)
        for index in 0..<count - 1 { packed.append(lookup.merge(ids[index], ids[index + 1])) }
        ids.withUnsafeMutableBufferPointer { ids in
            lengths.withUnsafeMutableBufferPointer { lengths in
                packed.withUnsafeMutableBufferPointer { packed in
                    while count > 1 {
                        var (best, place) = (MergeTable.none, 0)
                        for index in 0..<count - 1 where packed[index] < best {
                            (best, place) = (packed[index], index)
                        }
                        guard best != MergeTable.none else { break }
                        ids[place] = Int32(truncatingIfNeeded: best)
                        lengths[place] += lengths[place + 1]
                        count -= 1
                        for index in place + 1..<max(place + 1, count) {
                            ids[index] = ids[index + 1]
                            lengths[index] = lengths[index + 1]
                        }
                        for index in place..<max(place, count - 1) { packed[index] = packed[index + 1] }
                        if place > 0 { packed[place - 1] = lookup.merge(ids[place - 1], ids[place]) }
                        if place < count - 1 { packed[place] = lookup.merge(ids[place], ids[place + 1]) }
                    }
                }
            }
        }
        ids.removeLast(ids.count - count)
        lengths.removeLast(lengths.count - count)
    }

    private mutating func mergeLong(_ lookup: MergeTable.Lookup) {
        let count = ids.count
        previous = (0..<count).map { Int32($0 - 1) }
        next = (0..<count).map { $0 + 1 < count ? Int32($0 + 1) : -1 }
        heap.removeAll()
        for index in 0..<count - 1 { push(index, index + 1, lookup) }
        while let (merge, place) = heap.popFirst() {
            guard ids[place] >= 0, next[place] >= 0 else { continue }
            let right = Int(next[place])
            // An entry whose pair has changed since is stale.
            let current = lookup.merge(ids[place], ids[right])
            guard current != MergeTable.none, UInt32(truncatingIfNeeded: current) == UInt32(truncatingIfNeeded: merge)
            else { continue }
            ids[place] = Int32(truncatingIfNeeded: merge)
            lengths[place] += lengths[right]
            ids[right] = -1
            next[place] = next[right]
            if next[right] >= 0 { previous[Int(next[right])] = Int32(place) }
            if previous[place] >= 0 { push(Int(previous[place]), place, lookup) }
            if next[place] >= 0 { push(place, Int(next[place]), lookup) }
        }
        var kept = 0
        for index in 0..<count where ids[index] >= 0 {
            (ids[kept], lengths[kept]) = (ids[index], lengths[index])
            kept += 1
        }
        ids.removeLast(count - kept)
        lengths.removeLast(count - kept)
    }

    private mutating func push(_ left: Int, _ right: Int, _ lookup: MergeTable.Lookup) {
        let merge = lookup.merge(ids[left], ids[right])
        if merge != MergeTable.none { heap.push(merge, left) }
    }
}

/// A binary heap of merges with their places: lowest rank first, then lowest place.
private struct PairHeap {
    private var entries: [(merge: UInt64, place: Int)] = []

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    mutating func push(_ merge: UInt64, _ place: Int) {
        entries.append((merge, place))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(entries[child], entries[parent]) else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> (merge: UInt64, place: Int)? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, precedes(entries[child + 1], entries[child]) { child += 1 }
            guard precedes(entries[child], entries[parent]) else { break }
            entries.swapAt(child, parent)
            parent = child
        }
        return first
    }

    private func precedes(_ a: (merge: UInt64, place: Int), _ b: (merge: UInt64, place: Int)) -> Bool {
        a.merge != b.merge ? a.merge < b.merge : a.place < b.place
    }
}
