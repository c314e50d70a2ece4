import CanonicalJSON

/// Learns a byte-level byte-pair encoding from text.
///
/// Every text can be encoded: all 256 bytes are in the vocabulary. The result depends on the texts' words and how often
/// each occurs, not on the order of the texts. Of several pairs that occur equally often the one of lowest identifiers
/// is merged first, as in Hugging Face's tokenizers, whose trainer learns the same merges.
public struct BPETrainer: Sendable {
    /// How texts are cut into words.
    public enum Split: Sendable, Hashable {
        /// GPT-2's pattern; with single digits, each digit is a word of its own (SmolLM2).
        case gpt2(singleDigits: Bool)
        /// Llama 3's pattern, with words of at most so many digits: 3 in Llama 3, 1 in Qwen 2.
        case llama3(digits: Int)
    }

    /// Number of tokens to reach: special tokens, 256 bytes and merges. Texts too small for it give fewer.
    public var vocabularySize: Int
    /// Get the first identifiers, in this order, and are recognised in text.
    public var specialTokens: [String]
    public var split: Split
    /// A pair that occurs less often is not merged.
    public var minimumFrequency: Int
    /// The special token put before every text that is encoded with special tokens.
    public var beginningOfSequence: String?

    public init(
        vocabularySize: Int, specialTokens: [String] = [], split: Split = .gpt2(singleDigits: true),
        minimumFrequency: Int = 2, beginningOfSequence: String? = nil
    ) {
        self.vocabularySize = vocabularySize
        self.specialTokens = specialTokens
        self.split = split
        self.minimumFrequency = minimumFrequency
        self.beginningOfSequence = beginningOfSequence
    }

    /// Learns from texts and returns the content of a tokenizer.json.
    ///
    /// Special tokens written in the texts are learnt like any other text.
    ///
    /// - Throws: ``BPETrainerError`` when the parameters contradict each other.
    /// - Complexity: O(bytes) to count words, then O(occurrences of the merged pairs in distinct words).
    public func train(on texts: some Sequence<String>) throws(BPETrainerError) -> JSON {
        try check()
        var counter = WordCounter(split: split)
        for text in texts { counter.add(text) }
        return tokenizer(merges: merges(in: counter))
    }

    private func check() throws(BPETrainerError) {
        let least = specialTokens.count + 256
        guard vocabularySize >= least else {
            throw BPETrainerError(
                problem:
                    "a vocabulary of \(vocabularySize) tokens has no room for \(specialTokens.count) special tokens "
                    + "and 256 bytes; it needs at least \(least)")
        }
        for (index, token) in specialTokens.enumerated() {
            guard !token.utf8.isEmpty else { throw BPETrainerError(problem: "a special token is empty") }
            guard !specialTokens[..<index].contains(where: { $0.utf8.elementsEqual(token.utf8) }) else {
                throw BPETrainerError(problem: "the special token \(token.debugDescription) is listed twice")
            }
            guard ByteAlphabet.decode(token.utf8)?.count != 1 else {
                throw BPETrainerError(problem: "the special token \(token.debugDescription) is the token of a byte")
            }
        }
        if let token = beginningOfSequence, !specialTokens.contains(where: { $0.utf8.elementsEqual(token.utf8) }) {
            throw BPETrainerError(
                problem: "the beginning of sequence \(token.debugDescription) is not among the special tokens")
        }
        if case .llama3(let digits) = split, digits != 1, digits != 3 {
            throw BPETrainerError(problem: "words of \(digits) digits; Llama 3's pattern is known with 1 or 3")
        }
    }

    /// The bytes in the order of their identifiers: by the characters that stand for them.
    private static let bytes: [UInt8] = (0..<256).map { UInt8($0) }
        .sorted { ByteAlphabet.scalars[Int($0)] < ByteAlphabet.scalars[Int($1)] }

    private func merges(in counter: WordCounter) -> [MergeLearner.Merge] {
        var byteIDs = [Int32](repeating: 0, count: 256)
        for (place, byte) in BPETrainer.bytes.enumerated() { byteIDs[Int(byte)] = Int32(specialTokens.count + place) }
        var learner = MergeLearner(
            firstToken: specialTokens.count, tokens: BPETrainer.bytes.map { [$0] }, reserved: specialTokens)
        counter.forEachWord { word, count in learner.add(word.map { byteIDs[Int($0)] }, count: count) }
        return learner.learn(tokens: vocabularySize, minimumFrequency: minimumFrequency)
    }

    private func tokenizer(merges: [MergeLearner.Merge]) -> JSON {
        var vocabulary: [(String, JSON)] = specialTokens.enumerated().map { ($1, .integer(Int64($0))) }
        for byte in BPETrainer.bytes {
            vocabulary.append((ByteAlphabet.encode([byte]), .integer(Int64(vocabulary.count))))
        }
        for merge in merges {
            vocabulary.append((ByteAlphabet.encode(merge.left + merge.right), .integer(Int64(merge.token))))
        }
        let pairs = merges.map { merge in
            JSON.array([.string(ByteAlphabet.encode(merge.left)), .string(ByteAlphabet.encode(merge.right))])
        }
        let added = specialTokens.enumerated().map { id, content in
            JSON.object(
                JSONObject([
                    ("id", .integer(Int64(id))), ("content", .string(content)), ("single_word", false),
                    ("lstrip", false), ("rstrip", false), ("normalized", false), ("special", true),
                ]))
        }
        let model = JSONObject([
            ("type", "BPE"), ("dropout", nil), ("unk_token", nil), ("continuing_subword_prefix", nil),
            ("end_of_word_suffix", nil), ("fuse_unk", false), ("byte_fallback", false), ("ignore_merges", false),
            ("vocab", .object(JSONObject(vocabulary))), ("merges", .array(pairs)),
        ])
        return .object(
            JSONObject([
                ("version", "1.0"), ("truncation", nil), ("padding", nil), ("added_tokens", .array(added)),
                ("normalizer", nil), ("pre_tokenizer", split.preTokenizer), ("post_processor", postProcessor),
                ("decoder", BPETrainer.byteLevel(splits: true)), ("model", .object(model)),
            ]))
    }

    private var postProcessor: JSON {
        guard let token = beginningOfSequence,
            let id = specialTokens.firstIndex(where: { $0.utf8.elementsEqual(token.utf8) })
        else { return .null }
        func special(_ type: Int64) -> JSON { ["SpecialToken": ["id": .string(token), "type_id": .integer(type)]] }
        func sequence(_ name: JSON, _ type: Int64) -> JSON { ["Sequence": ["id": name, "type_id": .integer(type)]] }
        let entry: JSON = [
            "id": .string(token), "ids": [.integer(Int64(id))], "tokens": [.string(token)],
        ]
        return [
            "type": "TemplateProcessing", "single": [special(0), sequence("A", 0)],
            "pair": [special(0), sequence("A", 0), special(1), sequence("B", 1)],
            "special_tokens": .object(JSONObject([(token, entry)])),
        ]
    }

    fileprivate static func byteLevel(splits: Bool) -> JSON {
        ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .bool(splits)]
    }
}

extension BPETrainer.Split {
    fileprivate var preTokenizer: JSON {
        let steps: [JSON]
        switch self {
        case .gpt2(singleDigits: false): return BPETrainer.byteLevel(splits: true)
        case .gpt2(singleDigits: true):
            steps = [["type": "Digits", "individual_digits": true], BPETrainer.byteLevel(splits: true)]
        case .llama3:
            steps = [
                [
                    "type": "Split", "pattern": ["Regex": .string(scanner.regex)], "behavior": "Isolated",
                    "invert": false,
                ],
                BPETrainer.byteLevel(splits: false),
            ]
        }
        return ["type": "Sequence", "pretokenizers": .array(steps)]
    }

    var scanner: WordScanner {
        switch self {
        case .gpt2: WordScanner(.gpt2)
        case .llama3(let digits): WordScanner(.llama3(digits: digits))
        }
    }

    var setsDigitsApart: Bool { self == .gpt2(singleDigits: true) }
}

/// Why a tokenizer cannot be trained.
public struct BPETrainerError: Error, Equatable, CustomStringConvertible {
    public let problem: String

    public var description: String { "tokenizer training: \(problem)" }
}
