import CanonicalJSON
import Safetensors

/// Gathers the records of a token shard, column by column.
struct ShardWriter {
    let type: String
    private var objects: [JSON] = []
    private var tokens: [String: [Int32]] = [:]
    private var offsets: [String: [Int64]] = [:]
    private var keys: [String: [UInt8]] = [:]

    init(type: String) { self.type = type }

    /// The records by the bytes of their ids.
    func ordered<Record>(_ records: [Record], id: (Record) -> String) throws -> [Record] {
        let ordered = records.sorted { compareUTF8(id($0), id($1)) < 0 }
        for (first, second) in zip(ordered, ordered.dropFirst()) where compareUTF8(id(first), id(second)) == 0 {
            throw TokenShardError(subject: "record \"\(id(first))\"", problem: "is given twice")
        }
        return ordered
    }

    mutating func add(_ object: JSONObject) { objects.append(.object(object)) }

    mutating func add(_ values: [Int32], to column: String, of id: String) throws {
        guard !values.isEmpty else {
            throw TokenShardError(subject: "record \"\(id)\"", problem: "has no \(column) tokens")
        }
        if let negative = values.first(where: { $0 < 0 }) {
            throw TokenShardError(subject: "record \"\(id)\"", problem: "has the \(column) token \(negative)")
        }
        tokens[column, default: []].append(contentsOf: values)
        offsets[column, default: [0]].append(Int64(tokens[column]!.count))
    }

    mutating func add(_ values: [Int32], to column: String, keys mask: [UInt8], of id: String) throws {
        guard mask.count == values.count else {
            throw TokenShardError(
                subject: "record \"\(id)\"",
                problem: "has \(values.count) \(column) tokens and a key mask of \(mask.count)")
        }
        guard mask.allSatisfy({ $0 <= 1 }) else {
            throw TokenShardError(
                subject: "record \"\(id)\"", problem: "has a \(column) mask with values beside 0 and 1")
        }
        try add(values, to: column, of: id)
        keys[column, default: []].append(contentsOf: mask)
    }

    func encode(columns: [String], masks: [String]) throws -> [UInt8] {
        var contents = [TensorContent("records", JSON.array(objects).canonicalBytes)]
        for column in columns {
            contents.append(TensorContent("\(column).ids", tokens[column, default: []]))
            contents.append(TensorContent("\(column).offsets", offsets[column, default: [0]]))
        }
        for column in masks { contents.append(TensorContent("\(column).keys", keys[column, default: []])) }
        return try SafetensorsArchive.encode(contents, metadata: [("type", type)])
    }
}

/// Takes a token shard apart.
struct ShardReader {
    let archive: SafetensorsArchive
    let objects: [JSONObject]

    init(_ archive: SafetensorsArchive, type: String) throws {
        self.archive = archive
        let found = archive.header.metadata("type")
        guard found == type else {
            throw TokenShardError(
                subject: archive.source,
                problem: "should be a shard of \(type), found \(found.map { "\"\($0)\"" } ?? "no artifact type")")
        }
        let text = try archive.values("records", as: UInt8.self)
        do {
            guard let array = try JSON.parse(text).array else {
                throw JSONFieldError(field: "records", problem: "should be an array")
            }
            objects = try array.map { element in
                guard let object = element.object else {
                    throw JSONFieldError(field: "records", problem: "should hold objects, found \(element.kind)")
                }
                return object
            }
        } catch {
            throw TokenShardError(subject: archive.source, problem: "\(error)")
        }
    }

    /// The tokens of each record.
    func column(_ name: String) throws -> [[Int32]] {
        let tokens = try archive.values("\(name).ids", as: Int32.self)
        if let negative = tokens.first(where: { $0 < 0 }) {
            throw TokenShardError(subject: archive.source, problem: "\(name).ids has the token \(negative)")
        }
        return try slices(of: tokens, column: name)
    }

    /// The key mask of each record.
    func mask(_ name: String) throws -> [[UInt8]] {
        let count = try archive.entry("\(name).ids").elementCount
        let mask = try archive.values("\(name).keys", as: UInt8.self, shape: [count])
        guard mask.allSatisfy({ $0 <= 1 }) else {
            throw TokenShardError(subject: archive.source, problem: "\(name).keys has values beside 0 and 1")
        }
        return try slices(of: mask, column: name)
    }

    private func slices<Element>(of elements: [Element], column: String) throws -> [[Element]] {
        let offsets = try archive.values("\(column).offsets", as: Int64.self, shape: [objects.count + 1])
        guard offsets.first == 0, offsets.last == Int64(elements.count),
            zip(offsets, offsets.dropFirst()).allSatisfy({ $0 < $1 })
        else {
            throw TokenShardError(
                subject: archive.source,
                problem: "\(column).offsets should rise from 0 to \(elements.count), one step a record")
        }
        return zip(offsets, offsets.dropFirst()).map { Array(elements[Int($0)..<Int($1)]) }
    }
}
