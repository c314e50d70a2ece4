import CanonicalJSON
import Safetensors
import StudentJobs

/// The samples of a run, ordered by the bytes of their ids, so that the order of the shards does not matter.
enum TrainingSet: Sendable {
    case tokens([TokenRecord])
    case pairs([TokenPairRecord])

    /// Reads shards and checks every sample against the model.
    ///
    /// - Throws: ``StudentError`` naming file or record: no samples, an id given twice, a token outside the
    ///   vocabulary, a sample longer than the model's positions.
    init(_ paths: [String], objective: Objective, vocabulary: Int, positions: Int) throws {
        switch objective {
        case .sft, .sftPerSample:
            let records = try Self.read(paths, TokenShard.decode, id: \.id)
            for record in records {
                try Self.check(record.prompt + record.completion, record.id, vocabulary, positions)
            }
            self = .tokens(records)
        case .krsl, .dpo:
            let pairs = try Self.read(paths, TokenPairShard.decode, id: \.id)
            for pair in pairs {
                try Self.check(pair.prompt + pair.correct, pair.id, vocabulary, positions)
                try Self.check(pair.prompt + pair.wrong, pair.id, vocabulary, positions)
            }
            self = .pairs(pairs)
        }
        guard count > 0 else {
            throw StudentError(paths.joined(separator: ", "), "no samples to train on; check what filters dropped")
        }
    }

    var count: Int {
        switch self {
        case .tokens(let records): records.count
        case .pairs(let pairs): pairs.count
        }
    }

    func id(_ index: Int) -> String {
        switch self {
        case .tokens(let records): records[index].id
        case .pairs(let pairs): pairs[index].id
        }
    }

    /// Whether any token of a sample has a weight in the loss.
    func hasTargets(_ index: Int, _ objective: Objective) -> Bool {
        guard case .pairs(let pairs) = self, case .krsl(let settings) = objective else { return true }
        return settings.gamma != 0
            || (settings.alpha != 0 && pairs[index].correctKeys.contains(1))
            || (settings.beta != 0 && pairs[index].wrongKeys.contains(1))
    }

    /// Tells one set of samples from another, whatever files they came in.
    var digest: String {
        var hash = StableHash()
        func add(_ id: String, _ columns: [[Int32]]) {
            hash.add(id.utf8)
            for column in columns {
                hash.add([0xFF, 0xFE])
                column.withUnsafeBytes { hash.add($0) }
            }
        }
        switch self {
        case .tokens(let records): for record in records { add(record.id, [record.prompt, record.completion]) }
        case .pairs(let pairs):
            for pair in pairs {
                add(pair.id, [pair.prompt, pair.correct, pair.wrong])
                hash.add(pair.correctKeys)
                hash.add(pair.wrongKeys)
            }
        }
        return hash.hex
    }

    /// Tokens the sample has, as read from its prompt and completions.
    func tokenCount(_ index: Int) -> Int {
        switch self {
        case .tokens(let records): records[index].prompt.count + records[index].completion.count
        case .pairs(let pairs):
            2 * pairs[index].prompt.count + pairs[index].correct.count + pairs[index].wrong.count
        }
    }

    /// The longest sequence in tokens.
    var longest: Int {
        switch self {
        case .tokens(let records): records.map { $0.prompt.count + $0.completion.count }.max() ?? 0
        case .pairs(let pairs):
            pairs.map { $0.prompt.count + max($0.correct.count, $0.wrong.count) }.max() ?? 0
        }
    }

    private static func read<Record>(
        _ paths: [String], _ decode: (SafetensorsArchive) throws -> [Record], id: (Record) -> String
    ) throws -> [Record] {
        var records: [Record] = []
        for path in paths { records += try decode(SafetensorsArchive(mapping: path)) }
        records.sort { compareUTF8(id($0), id($1)) < 0 }
        for (first, second) in zip(records, records.dropFirst()) where compareUTF8(id(first), id(second)) == 0 {
            throw StudentError("sample \"\(id(first))\"", "is in the training data twice")
        }
        return records
    }

    private static func check(_ tokens: [Int32], _ id: String, _ vocabulary: Int, _ positions: Int) throws {
        if let token = tokens.first(where: { $0 >= vocabulary }) {
            throw StudentError(
                "sample \"\(id)\"",
                "has the token \(token), the model's vocabulary has \(vocabulary); use the tokenizer of the model")
        }
        guard tokens.count <= positions else {
            throw StudentError(
                "sample \"\(id)\"",
                "is \(tokens.count) tokens long, the model has \(positions) positions; lower the limit on length "
                    + "where samples are tokenised, or raise max_position_embeddings")
        }
    }
}
