import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// A record that is not of the type its artifact promises.
struct MalformedRecord: Error, CustomStringConvertible {
    let description: String
}

extension ActionContext {
    /// The records behind a role as values, sorted by id.
    func records<Value: Record>(_ role: String, as type: Value.Type) throws -> [Value] {
        try records(role).map { object in
            do throws(JSONFieldError) {
                return try Value(json: object)
            } catch {
                let id = object["id"]?.string ?? "?"
                throw RecordFailure(
                    record: id,
                    MalformedRecord(
                        description: "input \"\(role)\", record \"\(id)\": \(error); \(Value.artifactType) expected"))
            }
        }
    }

    /// The records behind all roles of a list or optional port, one role after another.
    func records<Value: Record>(ofPort port: String, as type: Value.Type) throws -> [Value] {
        try roles(of: port).flatMap { try records($0, as: type) }
    }

    func write(_ records: [some Record], to output: String, limit: ShardLimit = .standard) throws {
        try write(records.map { $0.json.object! }, to: output, limit: limit)
    }
}

extension Parameter {
    /// Parameters of stages that cut records into shards anew: how finely.
    static var sharding: [Parameter] {
        [
            Parameter(
                "shard-records", .integer(1...1 << 20), default: .integer(Int64(ShardLimit.standard.records)),
                "Records in a shard, at most. Smaller shards rerun less after an edit and cost more per record."),
            Parameter(
                "shard-bytes", .integer(1...1 << 30), default: .integer(Int64(ShardLimit.standard.bytes)),
                "Bytes in a shard, at most."),
        ]
    }
}

extension StageParameters {
    var shardLimit: ShardLimit { ShardLimit(records: integer("shard-records"), bytes: integer("shard-bytes")) }
}
