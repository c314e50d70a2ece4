/// Counts the distinct words of texts.
struct WordCounter {
    private let scanner: WordScanner
    private let digits: DigitsPreTokenizer?
    /// The distinct words, one after the other.
    private var arena: [UInt8] = []
    private var entries: [(start: Int, end: Int, hash: UInt64, count: Int)] = []
    /// Open addressing: indices of entries, −1 where a slot is free.
    private var slots = [Int32](repeating: -1, count: 1 << 16)

    init(split: BPETrainer.Split) {
        scanner = split.scanner
        digits = split.setsDigitsApart ? DigitsPreTokenizer(isIndividual: true) : nil
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var pieces = PreTokenizedText(source: bytes, base: 0)
            digits?.apply(to: &pieces)
            pieces.withReader { reader in
                for piece in pieces.words {
                    scanner.forEachWord(in: reader, piece) { add(UnsafeBufferPointer(rebasing: bytes[$0])) }
                }
            }
        }
    }

    /// Calls `body` with each distinct word and how often it occurs, in the order of first occurrence.
    func forEachWord(_ body: (ArraySlice<UInt8>, Int) -> Void) {
        for entry in entries { body(arena[entry.start..<entry.end], entry.count) }
    }

    private mutating func add(_ word: UnsafeBufferPointer<UInt8>) {
        let hash = hashBytes(word)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, entry.end - entry.start == word.count,
                arena[entry.start..<entry.end].elementsEqual(word)
            {
                entries[Int(slots[slot])].count += 1
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(entries.count)
        entries.append((arena.count, arena.count + word.count, hash, 1))
        arena.append(contentsOf: word)
        if entries.count * 2 > slots.count { grow() }
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for (index, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(index)
        }
    }
}
