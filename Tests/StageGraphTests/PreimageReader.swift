import ContentStore

/// What a pre-image consists of, by bytes: two that differ in it must not have one key.
struct PreimageParts: Hashable {
    struct Group: Hashable {
        var role: [UInt8]
        var digests: [[UInt8]]
    }

    var scope: [UInt8]
    var stage: [UInt8]
    var version: Int
    var shard: [UInt8]?
    /// Canonical JSON.
    var parameters: [UInt8]
    var inputs: [Group]
    var sources: [Group]
    var programs: [Group]
    var partition: [[UInt8]]
}

/// Takes an encoded pre-image apart again, by the documented layout and without the encoder's code.
struct PreimageReader {
    private var rest: ArraySlice<UInt8>

    struct Malformed: Error {
        let expected: String
        let left: Int
    }

    static func read(_ bytes: [UInt8]) throws -> PreimageParts {
        var reader = PreimageReader(rest: bytes[...])
        return try reader.parts()
    }

    private mutating func parts() throws -> PreimageParts {
        try expect(Array("retort".utf8) + [0], "the magic")
        let domain = try text()
        let (prefix, suffix) = (Array("retort.".utf8), Array("/1".utf8))
        guard domain.starts(with: prefix), domain.suffix(2) == suffix[...] else { throw malformed("the domain") }
        let scope = Array(domain.dropFirst(prefix.count).dropLast(suffix.count))
        let stage = try field("stage", "s") { try $0.text() }
        let version = try field("version", "i") { try $0.count() }
        let shard = try startsField("shard") ? field("shard", "s") { try $0.text() } : nil
        let parameters = try field("parameters", "j") { try $0.text() }
        let groups = try ["inputs", "sources", "programs"].map { name in
            try list(name) { reader in
                PreimageParts.Group(
                    role: try reader.field("role", "s") { try $0.text() },
                    digests: try reader.list("contents") { try $0.field("digest", "d") { try $0.take(32) } })
            }
        }
        let partition = try list("partition") { try $0.field("prefix", "s") { try $0.text() } }
        guard rest.isEmpty else { throw malformed("the end") }
        return PreimageParts(
            scope: scope, stage: stage, version: version, shard: shard, parameters: parameters, inputs: groups[0],
            sources: groups[1], programs: groups[2], partition: partition)
    }

    private func malformed(_ expected: String) -> Malformed { Malformed(expected: expected, left: rest.count) }

    private mutating func take(_ count: Int) throws -> [UInt8] {
        guard count >= 0, count <= rest.count else { throw malformed("\(count) bytes") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    private mutating func expect(_ bytes: [UInt8], _ what: String) throws {
        guard try take(bytes.count) == bytes else { throw malformed(what) }
    }

    private mutating func count() throws -> Int {
        Int(try take(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) })
    }

    private mutating func text() throws -> [UInt8] { try take(count()) }

    private func startsField(_ name: String) -> Bool {
        var copy = self
        return (try? copy.expect(Array("F".utf8), "")) != nil && (try? copy.text()) == Array(name.utf8)
    }

    private mutating func field<Value>(
        _ name: String, _ kind: String, _ value: (inout PreimageReader) throws -> Value
    ) throws -> Value {
        try expect(Array("F".utf8), "the field \(name)")
        guard try text() == Array(name.utf8) else { throw malformed("the name \(name)") }
        try expect(Array(kind.utf8), "the kind of \(name)")
        return try value(&self)
    }

    private mutating func list<Element>(
        _ name: String, _ element: (inout PreimageReader) throws -> Element
    ) throws -> [Element] {
        try expect(Array("L".utf8), "the list \(name)")
        guard try text() == Array(name.utf8) else { throw malformed("the name \(name)") }
        return try (0..<count()).map { _ in try element(&self) }
    }
}
