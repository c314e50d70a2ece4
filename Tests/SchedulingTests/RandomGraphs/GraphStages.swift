import CanonicalJSON
import ContentStore
import Foundation
import StageGraph

extension ArtifactType {
    static let bundle = ArtifactType(name: "bundle", version: 1)
}

/// Numbers from the lines `id value` of a file.
struct Rows: Stage {
    static let signature = StageSignature(
        "rows", version: 1, .source, "Reads numbers.",
        parameters: [
            Parameter("path", .file, "Lines of an id and a value."),
            Parameter("shard-records", .integer(1...1000), default: 4, "Records in a shard."),
        ],
        outputs: [OutputPort("numbers", .numbers, "The numbers.")])
    let parameters: StageParameters

    init(_ parameters: StageParameters) { self.parameters = parameters }

    func run(_ context: any ActionContext) throws -> Accounting {
        let text = String(decoding: try context.sourceBytes("path"), as: UTF8.self)
        let records = text.split(separator: "\n").map { line -> JSONObject in
            let parts = line.split(separator: " ")
            return JSONObject([("id", .string(String(parts[0]))), ("value", .integer(Int64(parts[1])!))])
        }
        try context.write(
            records, to: "numbers", limit: ShardLimit(records: parameters.integer("shard-records"), bytes: 1 << 20))
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// A map stage with a prompt file: adds what the file's bytes come to.
struct Reword: Stage {
    static let signature = StageSignature(
        "reword", version: 1, .map, "Adds a checksum.", parameters: [Parameter("prompt", .file, "Any text.")],
        inputs: [InputPort("numbers", .numbers, "Input.")],
        outputs: [OutputPort("numbers", .numbers, "Output.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let shift = try context.sourceBytes("prompt").reduce(0) { $0 + Int($1) } % 97
        let records = try context.records("numbers").map { record in
            JSONObject([("id", record["id"]!), ("value", .integer(Int64(try record.integer("value") + shift)))])
        }
        try context.write(records, to: "numbers")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// A reduce stage that cuts its records into shards anew; records of one id are added up.
struct Merge: Stage {
    static let signature = StageSignature(
        "merge", version: 1, .reduce, "Merges.",
        parameters: [Parameter("shard-records", .integer(1...1000), default: 4, "Records in a shard.")],
        inputs: [InputPort("numbers", .numbers, distribution: .whole, arity: .list, "What to merge.")],
        outputs: [OutputPort("numbers", .numbers, "All of them.")])
    let limit: Int

    init(_ parameters: StageParameters) { limit = parameters.integer("shard-records") }

    func run(_ context: any ActionContext) throws -> Accounting {
        var values: [String: Int] = [:]
        for role in context.roles(of: "numbers") {
            for record in try context.records(role) {
                values[try record.string("id"), default: 0] += try record.integer("value")
            }
        }
        try context.write(
            values.map { JSONObject([("id", .string($0.key)), ("value", .integer(Int64($0.value)))]) }, to: "numbers",
            limit: ShardLimit(records: limit, bytes: 1 << 20))
        return Accounting(recordsIn: values.count, recordsOut: values.count)
    }
}

/// A reduce stage that makes a directory.
struct Bundle: Stage {
    static let signature = StageSignature(
        "bundle", version: 1, .reduce, "Makes files.",
        inputs: [InputPort("numbers", .numbers, distribution: .whole, "What to write.")],
        outputs: [OutputPort("files", .bundle, layout: .tree, "count.txt and all/values.txt.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let records = try context.records("numbers")
        let folder = URL(fileURLWithPath: context.scratchDirectory).appendingPathComponent("tree")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("all"), withIntermediateDirectories: true)
        try Data("\(records.count)".utf8).write(to: folder.appendingPathComponent("count.txt"))
        let lines = try records.map { "\(try $0.string("id")) \(try $0.integer("value"))\n" }
        try Data(lines.joined().utf8).write(to: folder.appendingPathComponent("all/values.txt"))
        try context.write(directory: folder.path, to: "files")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

/// A map stage that sees a directory beside its shard.
struct Unpack: Stage {
    static let signature = StageSignature(
        "unpack", version: 1, .map, "Adds a count.",
        inputs: [
            InputPort("numbers", .numbers, "Input."),
            InputPort("files", .bundle, distribution: .whole, arity: .optional, "What a bundle made."),
        ],
        outputs: [OutputPort("numbers", .numbers, "Output.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        var count = 0
        for role in context.roles(of: "files") {
            count = Int(try String(contentsOfFile: context.directory(role) + "/count.txt", encoding: .utf8))!
        }
        let records = try context.records("numbers").map { record in
            JSONObject([("id", record["id"]!), ("value", .integer(Int64(try record.integer("value") + count)))])
        }
        try context.write(records, to: "numbers")
        return Accounting(recordsIn: records.count, recordsOut: records.count)
    }
}

extension StageLibrary {
    static let graphs = StageLibrary([
        Rows.self, Shift.self, Reword.self, Sum.self, Scale.self, Merge.self, Bundle.self, Unpack.self,
    ])
}
