import CanonicalJSON
import Safetensors

/// The safetensors layout of a shard of `tokens/1`.
///
/// `records` U8 holds a JSON array of one object a record (id, task, weight), ordered by the bytes of the ids;
/// `prompt.ids`, `completion.ids` I32 the tokens of all records end to end; `prompt.offsets`, `completion.offsets`
/// I64 [records + 1] where each begins. The bytes depend on the set of records alone.
public enum TokenShard {
    public static let artifactType = "tokens/1"

    /// - Throws: ``TokenShardError`` for an id given twice, an empty prompt or completion, or a negative token.
    /// - Complexity: O(tokens + n log n).
    public static func encode(_ records: [TokenRecord]) throws -> [UInt8] {
        var writer = ShardWriter(type: artifactType)
        for record in try writer.ordered(records, id: \.id) {
            var object = JSONObject([("id", .string(record.id))])
            object["task"] = record.task.map { .string($0) }
            object["weight"] = record.weight.map { .number($0) }
            writer.add(object)
            try writer.add(record.prompt, to: "prompt", of: record.id)
            try writer.add(record.completion, to: "completion", of: record.id)
        }
        return try writer.encode(columns: ["prompt", "completion"], masks: [])
    }

    /// Records ordered by the bytes of their ids.
    ///
    /// - Parameter source: names the shard in errors.
    /// - Throws: ``TokenShardError`` or `SafetensorsError` for bytes ``encode(_:)`` does not write.
    public static func decode(_ bytes: [UInt8], source: String = "token shard") throws -> [TokenRecord] {
        try decode(SafetensorsArchive(decoding: bytes, source: source))
    }

    /// Records of a shard that is mapped or in memory.
    public static func decode(_ archive: SafetensorsArchive) throws -> [TokenRecord] {
        let reader = try ShardReader(archive, type: artifactType)
        let prompts = try reader.column("prompt")
        let completions = try reader.column("completion")
        return try reader.objects.indices.map { index in
            TokenRecord(
                id: try reader.objects[index].string("id"), task: try reader.objects[index].optionalString("task"),
                prompt: prompts[index], completion: completions[index],
                weight: try reader.objects[index].optionalDouble("weight"))
        }
    }
}

/// The safetensors layout of a shard of `token-pairs/1`.
///
/// As ``TokenShard``, with `origin` beside id and task, the columns `prompt`, `correct` and `wrong`, and the U8
/// tensors `correct.keys` and `wrong.keys` parallel to `correct.ids` and `wrong.ids`.
public enum TokenPairShard {
    public static let artifactType = "token-pairs/1"

    /// - Throws: ``TokenShardError`` as ``TokenShard/encode(_:)``, and for a mask whose length is not its tokens'.
    /// - Complexity: O(tokens + n log n).
    public static func encode(_ records: [TokenPairRecord]) throws -> [UInt8] {
        var writer = ShardWriter(type: artifactType)
        for record in try writer.ordered(records, id: \.id) {
            var object = JSONObject([("id", .string(record.id)), ("origin", .string(record.origin))])
            object["task"] = record.task.map { .string($0) }
            writer.add(object)
            try writer.add(record.prompt, to: "prompt", of: record.id)
            try writer.add(record.correct, to: "correct", keys: record.correctKeys, of: record.id)
            try writer.add(record.wrong, to: "wrong", keys: record.wrongKeys, of: record.id)
        }
        return try writer.encode(columns: ["prompt", "correct", "wrong"], masks: ["correct", "wrong"])
    }

    /// Records ordered by the bytes of their ids.
    ///
    /// - Parameter source: names the shard in errors.
    /// - Throws: ``TokenShardError`` or `SafetensorsError` for bytes ``encode(_:)`` does not write.
    public static func decode(_ bytes: [UInt8], source: String = "token pair shard") throws -> [TokenPairRecord] {
        try decode(SafetensorsArchive(decoding: bytes, source: source))
    }

    /// Records of a shard that is mapped or in memory.
    public static func decode(_ archive: SafetensorsArchive) throws -> [TokenPairRecord] {
        let reader = try ShardReader(archive, type: artifactType)
        let prompts = try reader.column("prompt")
        let correct = try reader.column("correct")
        let wrong = try reader.column("wrong")
        let correctKeys = try reader.mask("correct")
        let wrongKeys = try reader.mask("wrong")
        return try reader.objects.indices.map { index in
            TokenPairRecord(
                id: try reader.objects[index].string("id"), task: try reader.objects[index].optionalString("task"),
                origin: try reader.objects[index].string("origin"), prompt: prompts[index], correct: correct[index],
                wrong: wrong[index], correctKeys: correctKeys[index], wrongKeys: wrongKeys[index])
        }
    }
}

/// Records that make no token shard, or a shard that holds no such records.
public struct TokenShardError: Error, Equatable, CustomStringConvertible {
    /// The file, or the id of the record.
    public let subject: String
    public let problem: String

    public var description: String { "\(subject): \(problem)" }
}
