/// Finds the merges of a byte-pair encoding: again and again the pair of tokens that stands side by side most often.
///
/// Counts are kept up to date as words change, so a merge costs as much as the words it occurs in. The queue holds
/// counts that may be outdated, always too high ones, and corrects them when they come up.
struct MergeLearner {
    struct Merge {
        let left: [UInt8]
        let right: [UInt8]
        let token: Int32
    }

    private struct Pair {
        var left: Int32
        var right: Int32
        var count = 0
        /// Words the pair occurs in; a word may be listed although it no longer does.
        var words: [Int32] = []
        var isQueued = false
    }

    private let firstToken: Int
    private var tokens: [[UInt8]]
    private var tokenIDs: [[UInt8]: Int32] = [:]
    private let reserved: Set<[UInt8]>
    /// The tokens of all words, one word after the other; a word only shrinks.
    private var symbols: [Int32] = []
    private var words: [(start: Int, count: Int32, frequency: Int)] = []
    private var pairs: [Pair] = []
    private var pairIndex: [UInt64: Int32] = [:]
    private var queue = PairQueue()
    private var changed: [Int32] = []

    /// - Parameters:
    ///   - firstToken: the identifier of the first of `tokens`; the others follow.
    ///   - tokens: the bytes of the tokens that words are made of at first.
    ///   - reserved: contents that no merge may produce.
    init(firstToken: Int, tokens: [[UInt8]], reserved: [String]) {
        self.firstToken = firstToken
        self.tokens = tokens
        self.reserved = Set(reserved.compactMap { ByteAlphabet.decode($0.utf8) })
        for (index, token) in tokens.enumerated() { tokenIDs[token] = Int32(firstToken + index) }
    }

    mutating func add(_ word: [Int32], count: Int) {
        let index = Int32(words.count)
        words.append((symbols.count, Int32(word.count), count))
        symbols.append(contentsOf: word)
        for place in word.indices.dropLast() { change(word[place], word[place + 1], by: count, word: index) }
    }

    /// Learns merges until there are so many tokens, identifiers below `firstToken` included.
    mutating func learn(tokens limit: Int, minimumFrequency: Int) -> [Merge] {
        enqueueChanged()
        var merges: [Merge] = []
        while firstToken + tokens.count < limit, let top = queue.popFirst() {
            let pair = pairs[Int(top.index)]
            if pair.count < top.count {
                if pair.count > 0 {
                    queue.push(.init(count: pair.count, left: pair.left, right: pair.right, index: top.index))
                }
                continue
            }
            guard pair.count > 0, pair.count >= minimumFrequency else { break }
            let (left, right) = (bytes(pair.left), bytes(pair.right))
            let token = left + right
            guard !reserved.contains(token) else { continue }
            let id: Int32
            if let known = tokenIDs[token] {
                // Another pair gave the same token before.
                id = known
            } else {
                id = Int32(firstToken + tokens.count)
                tokens.append(token)
                tokenIDs[token] = id
            }
            merges.append(Merge(left: left, right: right, token: id))
            for word in pair.words { apply(pair, into: id, word: word) }
            (pairs[Int(top.index)].words, pairs[Int(top.index)].count) = ([], 0)
            enqueueChanged()
        }
        return merges
    }

    private func bytes(_ token: Int32) -> [UInt8] { tokens[Int(token) - firstToken] }

    /// Merges a pair wherever it occurs in a word, from left to right.
    private mutating func apply(_ pair: Pair, into token: Int32, word index: Int32) {
        let (start, count, frequency) = words[Int(index)]
        let end = start + Int(count)
        var (read, write) = (start, start)
        while read < end {
            guard symbols[read] == pair.left, read + 1 < end, symbols[read + 1] == pair.right else {
                symbols[write] = symbols[read]
                (read, write) = (read + 1, write + 1)
                continue
            }
            if write > start {
                let before = symbols[write - 1]
                change(before, pair.left, by: -frequency, word: index)
                change(before, token, by: frequency, word: index)
            }
            if read + 2 < end {
                let after = symbols[read + 2]
                change(pair.right, after, by: -frequency, word: index)
                change(token, after, by: frequency, word: index)
            }
            symbols[write] = token
            (read, write) = (read + 2, write + 1)
        }
        words[Int(index)].count = Int32(write - start)
    }

    private mutating func change(_ left: Int32, _ right: Int32, by amount: Int, word: Int32) {
        let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
        let index: Int32
        if let known = pairIndex[key] {
            index = known
        } else {
            index = Int32(pairs.count)
            pairIndex[key] = index
            pairs.append(Pair(left: left, right: right))
        }
        pairs[Int(index)].count += amount
        guard amount > 0 else { return }
        if pairs[Int(index)].words.last != word { pairs[Int(index)].words.append(word) }
        if !pairs[Int(index)].isQueued {
            pairs[Int(index)].isQueued = true
            changed.append(index)
        }
    }

    /// Queues the pairs whose counts have grown.
    private mutating func enqueueChanged() {
        for index in changed {
            pairs[Int(index)].isQueued = false
            let pair = pairs[Int(index)]
            if pair.count > 0 { queue.push(.init(count: pair.count, left: pair.left, right: pair.right, index: index)) }
        }
        changed.removeAll(keepingCapacity: true)
    }
}
