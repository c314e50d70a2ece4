import CanonicalJSON

/// Byte-pair encoding of one word, over bytes (byte-level vocabularies) or characters.
///
/// R. Sennrich, B. Haddow, A. Birch, "Neural machine translation of rare words with subword units" (2016), in the form
/// of Hugging Face's tokenizers: unknown characters become byte tokens, the unknown token, or nothing, in this order.
struct BytePairModel: Sendable {
    let vocabulary: Vocabulary
    let merges: MergeTable
    /// Words are raw bytes, each standing for its character in ``ByteAlphabet``.
    let isByteLevel: Bool
    /// The token for what the vocabulary has no character for; −1 when there is none.
    private let unknown: Int32
    /// Neighbouring unknown characters become one unknown token.
    private let fusesUnknown: Bool
    /// A word that is a token as a whole is that token, whatever the merges would do.
    private let ignoresMerges: Bool
    /// The tokens `<0x00>` to `<0xFF>`; empty without byte fallback, −1 where one is missing.
    private let byteTokens: [Int32]
    /// The tokens of single characters: by byte in byte-level models, by scalar below U+10000 in others.
    private let unitIDs: [Int32]
    private let boundaries: WordBoundaries

    init(_ reader: ComponentReader, isByteLevel: Bool) throws(TokenizerError) {
        guard reader.type == "BPE" else { throw reader.unsupported("model") }
        let object = reader.object
        for key in ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] {
            let value = object[key] ?? .null
            let isEmpty = value.isNull || value.string?.utf8.isEmpty ?? false || value.double == 0
            guard isEmpty else {
                throw TokenizerError(path: "model.\(key)", problem: "\(value.canonicalText) is not supported")
            }
        }
        vocabulary = try MergeFile.vocabulary(reader)
        let pairs = try MergeFile.pairs(reader)
        merges = try MergeFile.table(pairs, vocabulary)
        self.isByteLevel = isByteLevel
        fusesUnknown = try reader.bool("fuse_unk", default: false)
        ignoresMerges = try reader.bool("ignore_merges", default: false)
        if let token = object["unk_token"]?.string {
            unknown = vocabulary.id(of: token.utf8)
            guard unknown >= 0 else {
                throw TokenizerError(
                    path: "model.unk_token", problem: "\(token.debugDescription) is not in the vocabulary")
            }
        } else {
            unknown = -1
        }
        let vocabulary = vocabulary
        byteTokens =
            try reader.bool("byte_fallback", default: false)
            ? (0..<256).map { vocabulary.id(of: ByteFallback.token(UInt8($0)).utf8) } : []
        unitIDs =
            isByteLevel
            ? (0..<256).map { vocabulary.id(of: ByteAlphabet.encode([UInt8($0)]).utf8) }
            : vocabulary.idsOfScalars()
        boundaries = isByteLevel ? WordBoundaries() : WordBoundaries(pairs)
    }

    /// Encodes a word into the merger, replacing what it holds.
    ///
    /// - Parameter word: valid UTF-8 in models over characters, any bytes in byte-level ones.
    /// - Returns: whether the merger's lengths count the word's bytes; otherwise they count the bytes of the characters
    ///   that stand for them (``ByteAlphabet``).
    func encode(_ word: UnsafeBufferPointer<UInt8>, into merger: inout SymbolMerger) -> Bool {
        merger.removeAll()
        if ignoresMerges {
            let id = isByteLevel ? vocabulary.id(of: ByteAlphabet.encode(word).utf8) : vocabulary.id(of: word)
            if id >= 0 {
                merger.append(id, length: Int32(word.count))
                return true
            }
        }
        guard isByteLevel else {
            addScalars(of: word, to: &merger)
            merger.merge(merges)
            return true
        }
        for byte in word {
            let id = unitIDs[Int(byte)]
            guard id >= 0 else {
                merger.removeAll()
                addCharacters(of: word, to: &merger)
                merger.merge(merges)
                return false
            }
            merger.append(id, length: 1)
        }
        merger.merge(merges)
        return true
    }

    /// Calls `body` with the parts of a word that can be encoded one by one without changing the result.
    @inline(__always)
    func forEachPart(of word: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        // A word that may be a token as a whole must stay whole.
        if isByteLevel || ignoresMerges || word.count <= 16 { return body(word) }
        boundaries.forEachPart(of: word, isKnown: { id(ofScalar: $0) >= 0 }, body)
    }

    private func id(ofScalar value: UInt32) -> Int32 {
        if value < 0x10000 { return unitIDs[Int(value)] }
        return Unicode.Scalar(value).map { vocabulary.id(of: UTF8.encode($0)!) } ?? -1
    }

    // MARK: Characters

    private func addScalars(of word: UnsafeBufferPointer<UInt8>, to merger: inout SymbolMerger) {
        let reader = ScalarReader(bytes: word, classes: UnsafePointer(bitPattern: 1)!)
        var pending = Unknown()
        var offset = 0
        while offset < word.count {
            let (value, end) = reader.scalar(at: offset)
            add(
                id(ofScalar: value), UnsafeBufferPointer(rebasing: word[offset..<end]), pending: &pending, to: &merger)
            offset = end
        }
        flush(&pending, to: &merger)
    }

    private func addCharacters(of word: UnsafeBufferPointer<UInt8>, to merger: inout SymbolMerger) {
        var pending = Unknown()
        for byte in word {
            let character = Array(ByteAlphabet.encode([byte]).utf8)
            character.withUnsafeBufferPointer { add(unitIDs[Int(byte)], $0, pending: &pending, to: &merger) }
        }
        flush(&pending, to: &merger)
    }

    /// Unknown characters not yet written, because more may join them.
    private struct Unknown {
        var length: Int32 = 0
        var isPending = false
    }

    private func add(
        _ id: Int32, _ character: UnsafeBufferPointer<UInt8>, pending: inout Unknown, to merger: inout SymbolMerger
    ) {
        if id >= 0 {
            flush(&pending, to: &merger)
            return merger.append(id, length: Int32(character.count))
        }
        // Pending unknown characters are not written before byte tokens: the order of the original.
        if !byteTokens.isEmpty, character.allSatisfy({ byteTokens[Int($0)] >= 0 }) {
            for byte in character { merger.append(byteTokens[Int(byte)], length: 1) }
            return
        }
        guard unknown >= 0 else { return }
        if !fusesUnknown { flush(&pending, to: &merger) }
        pending = Unknown(length: pending.length + Int32(character.count), isPending: true)
    }

    private func flush(_ pending: inout Unknown, to merger: inout SymbolMerger) {
        if pending.isPending { merger.append(unknown, length: pending.length) }
        pending = Unknown()
    }
}
