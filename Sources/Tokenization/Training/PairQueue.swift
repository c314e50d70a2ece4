/// A binary heap of pairs: the most frequent first, of equally frequent ones the one of lowest identifiers.
struct PairQueue {
    struct Entry {
        var count: Int
        var left: Int32
        var right: Int32
        var index: Int32
    }

    private var entries: [Entry] = []

    /// O(log n).
    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(entries[child], entries[parent]) else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// O(log n).
    mutating func popFirst() -> Entry? {
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

    private func precedes(_ a: Entry, _ b: Entry) -> Bool {
        if a.count != b.count { return a.count > b.count }
        return a.left != b.left ? a.left < b.left : a.right < b.right
    }
}
