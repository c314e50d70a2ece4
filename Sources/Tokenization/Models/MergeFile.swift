import CanonicalJSON

/// Reads vocabulary and merges of a BPE model in tokenizer.json.
enum MergeFile {
    /// Tokens and merges of a file; the largest published vocabularies have an eighth of it.
    private static let limit = 1 << 21

    private static func check(_ count: Int, _ path: String) throws(TokenizerError) {
        guard count <= limit else {
            throw TokenizerError(path: path, problem: "has \(count) entries; at most \(limit) are supported")
        }
    }

    static func vocabulary(_ reader: ComponentReader) throws(TokenizerError) -> Vocabulary {
        guard let members = reader.object["vocab"]?.object else {
            throw TokenizerError(path: "model.vocab", problem: "should be an object of tokens and identifiers")
        }
        try check(members.count, "model.vocab")
        var entries: [(token: String, id: Int)] = []
        entries.reserveCapacity(members.count)
        for (token, value) in members.members {
            guard let id = value.integer else {
                throw TokenizerError(
                    path: "model.vocab", problem: "the identifier of \(token.debugDescription) is \(value.kind)")
            }
            entries.append((token, id))
        }
        return try Vocabulary(entries, at: "model.vocab")
    }

    /// The merges in order of rank, as lists of two tokens or in the older form of one string with a space.
    static func pairs(_ reader: ComponentReader) throws(TokenizerError) -> [(left: String, right: String)] {
        guard let merges = reader.object["merges"]?.array else {
            throw TokenizerError(path: "model.merges", problem: "should be a list of pairs")
        }
        try check(merges.count, "model.merges")
        var pairs: [(left: String, right: String)] = []
        pairs.reserveCapacity(merges.count)
        for (index, merge) in merges.enumerated() {
            let parts: [String]
            if let list = merge.array {
                parts = list.compactMap(\.string)
            } else {
                parts =
                    merge.string?.unicodeScalars.split(separator: " ", omittingEmptySubsequences: false).map {
                        String($0)
                    } ?? []
            }
            guard parts.count == 2, merge.array?.count ?? 2 == 2 else {
                throw TokenizerError(
                    path: "model.merges[\(index)]", problem: "\(merge.canonicalText.prefix(80)) is not a pair of tokens"
                )
            }
            pairs.append((parts[0], parts[1]))
        }
        return pairs
    }

    static func table(
        _ pairs: [(left: String, right: String)], _ vocabulary: Vocabulary
    ) throws(TokenizerError) -> MergeTable {
        var table = MergeTable(capacity: pairs.count)
        var joined: [UInt8] = []
        for (rank, pair) in pairs.enumerated() {
            joined.removeAll(keepingCapacity: true)
            joined.append(contentsOf: pair.left.utf8)
            let middle = joined.count
            joined.append(contentsOf: pair.right.utf8)
            let (left, right, token) = joined.withUnsafeBufferPointer { bytes in
                (
                    vocabulary.id(of: UnsafeBufferPointer(rebasing: bytes[..<middle])),
                    vocabulary.id(of: UnsafeBufferPointer(rebasing: bytes[middle...])), vocabulary.id(of: bytes)
                )
            }
            for (id, text) in [(left, pair.left), (right, pair.right), (token, pair.left + pair.right)] where id < 0 {
                throw TokenizerError(
                    path: "model.merges[\(rank)]",
                    problem: "the token \(text.debugDescription) is not in the vocabulary")
            }
            table.insert(left, right, rank: rank, into: token)
        }
        return table
    }
}
