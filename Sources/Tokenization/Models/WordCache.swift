/// Remembers how words were encoded. One a thread; bounded in size.
struct WordCache {
    struct Entry {
        fileprivate var hash: UInt64 = 0
        fileprivate var text: Int32 = -1
        fileprivate var textLength: UInt8 = 0
        /// The lengths count the word's bytes, see ``BytePairModel/encode(_:into:)``.
        fileprivate(set) var countsBytes = true
        fileprivate(set) var count: UInt8 = 0
        fileprivate(set) var tokens: Int32 = 0
    }

    /// Words longer than this are not remembered.
    static let longest = 48
    private static let slotCount = 1 << 15
    private static let arenaLimit = 1 << 20

    private var slots = [Entry](repeating: Entry(), count: slotCount)
    private var text: [UInt8] = []
    private(set) var ids: [Int32] = []
    private(set) var lengths: [UInt8] = []

    @inline(__always)
    func find(_ word: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Entry? {
        let entry = slots[Int(truncatingIfNeeded: hash) & (WordCache.slotCount - 1)]
        guard entry.hash == hash, entry.text >= 0, Int(entry.textLength) == word.count else { return nil }
        for offset in 0..<word.count where text[Int(entry.text) + offset] != word[offset] { return nil }
        return entry
    }

    mutating func insert(
        _ word: UnsafeBufferPointer<UInt8>, hash: UInt64, _ tokens: borrowing SymbolMerger, countsBytes: Bool
    ) {
        guard tokens.ids.count <= 255 else { return }
        if text.count > WordCache.arenaLimit || ids.count > WordCache.arenaLimit { removeAll() }
        slots[Int(truncatingIfNeeded: hash) & (WordCache.slotCount - 1)] = Entry(
            hash: hash, text: Int32(text.count), textLength: UInt8(word.count), countsBytes: countsBytes,
            count: UInt8(tokens.ids.count), tokens: Int32(ids.count))
        text.append(contentsOf: word)
        ids.append(contentsOf: tokens.ids)
        for length in tokens.lengths { lengths.append(UInt8(length)) }
    }

    private mutating func removeAll() {
        for slot in slots.indices { slots[slot].text = -1 }
        text.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
    }
}
