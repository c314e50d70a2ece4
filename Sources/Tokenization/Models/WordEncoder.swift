/// Encodes words one after the other, remembering those it has seen. One a thread.
struct WordEncoder {
    private var cache = WordCache()
    private var merger = SymbolMerger()
    private var ids: [Int32] = []
    private var offsets: [Range<Int>] = []
    private var withOffsets = false

    mutating func begin(withOffsets: Bool) {
        self.withOffsets = withOffsets
        ids.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
    }

    mutating func append(_ id: Int32, _ range: Range<Int>) {
        ids.append(id)
        if withOffsets { offsets.append(range) }
    }

    mutating func finish() -> Encoding { Encoding(ids: ids, offsets: offsets) }

    mutating func encode(_ text: PreTokenizedText, _ model: BytePairModel) {
        text.withReader { reader in
            for word in text.words {
                let bytes = UnsafeBufferPointer(rebasing: reader.bytes[word])
                var start = word.lowerBound
                // Where a character vanishes, the offsets of the rest of the word count on as if it had not been there.
                model.forEachPart(of: bytes) { start += encode(part: $0, at: start, text, model) }
            }
        }
    }

    /// A part of a word that begins at `start` in the text.
    ///
    /// - Returns: the length of its tokens; only known when offsets are wanted.
    @inline(__always)
    private mutating func encode(
        part: UnsafeBufferPointer<UInt8>, at start: Int, _ text: PreTokenizedText, _ model: BytePairModel
    ) -> Int {
        let isShort = part.count <= WordCache.longest
        let hash = isShort ? hashBytes(part) : 0
        if isShort, let entry = cache.find(part, hash: hash) {
            let tokens = Int(entry.tokens)..<Int(entry.tokens) + Int(entry.count)
            for index in tokens { ids.append(cache.ids[index]) }
            guard withOffsets else { return 0 }
            return addOffsets(
                tokens.map { Int(cache.lengths[$0]) }, part, at: start, countsBytes: entry.countsBytes, text)
        }
        let countsBytes = model.encode(part, into: &merger)
        ids.append(contentsOf: merger.ids)
        if isShort { cache.insert(part, hash: hash, merger, countsBytes: countsBytes) }
        guard withOffsets else { return 0 }
        return addOffsets(merger.lengths.map(Int.init), part, at: start, countsBytes: countsBytes, text)
    }

    private mutating func addOffsets(
        _ lengths: [Int], _ part: UnsafeBufferPointer<UInt8>, at start: Int, countsBytes: Bool, _ text: PreTokenizedText
    ) -> Int {
        var place = 0
        if countsBytes {
            for length in lengths {
                offsets.append(text.origin(of: start + place..<start + place + length))
                place += length
            }
            return place
        }
        // Lengths in the characters that stand for the bytes: each such byte belongs to a byte of the part.
        var owners: [Int] = []
        for (index, byte) in part.enumerated() {
            for _ in 0..<ByteAlphabet.width(byte) { owners.append(index) }
        }
        for length in lengths {
            let (first, last) = (owners[place], owners[place + length - 1])
            offsets.append(text.origin(of: start + first..<start + last + 1))
            place += length
        }
        return part.count
    }
}
