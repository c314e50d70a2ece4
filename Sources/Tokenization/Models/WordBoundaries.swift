/// Places in a text that no merge can cross.
///
/// A merge that joins tokens across the boundary of characters x and y has a left token that ends with x and a right
/// one that begins with y. Where no merge does, the two sides are encoded independently; so a vocabulary without
/// pre-tokenizer, whose words are whole texts, still has short words to remember.
struct WordBoundaries: Sendable {
    /// Pairs (x, y) that some merge may join.
    private var joined: Set<UInt64> = []
    private var isEmpty = true

    /// Knows no boundary.
    init() {}

    init(_ pairs: [(left: String, right: String)]) {
        isEmpty = false
        for (left, right) in pairs {
            guard let x = left.unicodeScalars.last, let y = right.unicodeScalars.first else { continue }
            joined.insert(UInt64(x.value) << 32 | UInt64(y.value))
        }
    }

    /// Cuts a word before each word mark (U+2581) that nothing joins with what stands before it. O(length).
    @inline(__always)
    func forEachPart(
        of word: UnsafeBufferPointer<UInt8>, isKnown: (UInt32) -> Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        let mark: UInt32 = 0x2581
        guard !isEmpty, isKnown(mark) else { return body(word) }
        let reader = ScalarReader(bytes: word, classes: UnsafePointer(bitPattern: 1)!)
        var (start, offset) = (0, 0)
        var before: UInt32?
        while offset < word.count {
            let (value, end) = reader.scalar(at: offset)
            if value == mark, let before, before != mark, isKnown(before),
                !joined.contains(UInt64(before) << 32 | UInt64(mark))
            {
                body(UnsafeBufferPointer(rebasing: word[start..<offset]))
                start = offset
            }
            before = value
            offset = end
        }
        if start < word.count { body(UnsafeBufferPointer(rebasing: word[start...])) }
    }
}
