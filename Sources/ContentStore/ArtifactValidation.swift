import CanonicalJSON

extension Artifact {
    /// Checks what no well-formed artifact may break: order, overlaps, paths, sizes, number of entries.
    static func validate(_ content: Content) throws(ContentStoreError) {
        switch content {
        case .shards(let shards): try validate(shards)
        case .tree(let entries): try validate(entries)
        }
    }

    private static func validate(_ shards: [Shard]) throws(ContentStoreError) {
        try checkCount(shards.count, of: "shards")
        var records = 0
        var bytes = 0
        var previous: ShardPrefix?
        for shard in shards {
            if let previous {
                guard previous != shard.prefix else { throw malformed("has two shards with prefix \(shard.prefix)") }
                guard previous < shard.prefix else {
                    throw malformed("lists shard \(shard.prefix) after shard \(previous), out of order")
                }
                guard !previous.isPrefix(of: shard.prefix) else {
                    throw malformed("has shard \(shard.prefix), which lies under its shard \(previous)")
                }
            }
            guard shard.records >= 1 else { throw malformed("gives shard \(shard.prefix) \(shard.records) records") }
            guard shard.bytes >= shard.records else {
                throw malformed(
                    "gives shard \(shard.prefix) \(shard.bytes) bytes, too few for \(shard.records) records")
            }
            records = try sum(records, shard.records, "records")
            bytes = try sum(bytes, shard.bytes, "bytes")
            previous = shard.prefix
        }
    }

    private static func validate(_ entries: [TreeEntry]) throws(ContentStoreError) {
        try checkCount(entries.count, of: "files")
        var bytes = 0
        var files = Set<[UInt8]>()
        var previous: String?
        for entry in entries {
            if let problem = TreePath.problem(of: entry.path) {
                throw malformed("has the path \(JSON.string(entry.path).canonicalText), which \(problem)")
            }
            if let previous {
                let order = compareUTF8(previous, entry.path)
                guard order != 0 else { throw malformed("has the path \(entry.path) twice") }
                guard order < 0 else { throw malformed("lists \(entry.path) after \(previous), out of order") }
            }
            let path = Array(entry.path.utf8)
            for (index, byte) in path.enumerated() where byte == UInt8(ascii: "/") {
                guard !files.contains(Array(path[..<index])) else {
                    throw malformed(
                        "has \(entry.path), which lies under its file \(String(decoding: path[..<index], as: UTF8.self))"
                    )
                }
            }
            files.insert(path)
            guard entry.bytes >= 0 else { throw malformed("gives \(entry.path) the size \(entry.bytes)") }
            bytes = try sum(bytes, entry.bytes, "bytes")
            previous = entry.path
        }
    }

    static func checkCount(_ count: Int, of things: String) throws(ContentStoreError) {
        guard count <= maximumEntries else {
            throw malformed("has \(count) \(things), more than the \(maximumEntries) an artifact may have")
        }
    }

    private static func sum(_ a: Int, _ b: Int, _ what: String) throws(ContentStoreError) -> Int {
        let (sum, overflow) = a.addingReportingOverflow(b)
        guard !overflow, sum < 1 << 62 else { throw malformed("adds up to more \(what) than any machine holds") }
        return sum
    }

    static func malformed(_ problem: String) -> ContentStoreError {
        ContentStoreError(
            .malformed, "an artifact manifest", problem,
            remedy: "it was altered or made by something else: run the stage that makes it again")
    }
}

/// The rules for paths inside tree artifacts.
enum TreePath {
    /// What is wrong with `path`, as the end of a sentence; nil for a path that stays inside its tree.
    static func problem(of path: String) -> String? {
        let bytes = path.utf8
        if bytes.isEmpty { return "is empty" }
        if bytes.count > 4000 { return "is longer than 4000 bytes" }
        if bytes.first == UInt8(ascii: "/") { return "is absolute" }
        if bytes.contains(0) { return "contains a zero byte" }
        for part in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if part.isEmpty { return "has an empty part" }
            if part.elementsEqual(".".utf8) { return "has a part \".\"" }
            if part.elementsEqual("..".utf8) { return "leaves the tree by \"..\"" }
            if part.count > 255 { return "has a part longer than 255 bytes" }
        }
        return nil
    }
}
