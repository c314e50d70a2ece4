import CanonicalJSON

/// Describe a checkpoint or adapter directory without computing with it.
public struct InspectionJob: Sendable, Equatable {
    /// A Hugging Face checkpoint directory, or a PEFT adapter directory.
    public var directory: String
    /// The JSON file to write.
    public var output: String

    public init(directory: String, output: String) {
        self.directory = directory
        self.output = output
    }

    public var json: JSON { ["directory": .string(directory), "output": .string(output)] }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(directory: try json.string("directory"), output: try json.string("output"))
    }
}

/// Write a checkpoint again: in another type, in other shards, or with an adapter merged into it.
public struct ConversionJob: Sendable, Equatable {
    public var checkpoint: String
    /// A PEFT adapter directory to merge: W + scale · B · A for each matrix it adapts, computed in float32.
    public var adapter: String?
    /// The checkpoint directory to write; must not exist, or be empty.
    public var output: String
    /// The type of all tensors. Nil: each keeps its own.
    public var type: ElementType?
    /// Bytes of tensors in a file, at most; a larger tensor gets a file of its own. Nil: one file.
    public var shardBytes: Int?

    public enum ElementType: String, Sendable, CaseIterable {
        case float32
        case bfloat16
        case float16
    }

    public init(
        checkpoint: String, adapter: String? = nil, output: String, type: ElementType? = nil, shardBytes: Int? = nil
    ) {
        self.checkpoint = checkpoint
        self.adapter = adapter
        self.output = output
        self.type = type
        self.shardBytes = shardBytes
    }

    public var json: JSON {
        [
            "checkpoint": .string(checkpoint), "adapter": .optional(adapter), "output": .string(output),
            "type": .optional(type?.rawValue), "shard_bytes": .optional(shardBytes),
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            checkpoint: try json.string("checkpoint"), adapter: try json.optionalString("adapter"),
            output: try json.string("output"),
            type: try json["type"].map(\.isNull) ?? true ? nil : json.choice("type"),
            shardBytes: try json.optionalInteger("shard_bytes"))
        try json.check("shard_bytes", shardBytes ?? 1 >= 1, "must be at least 1, or null for one file")
    }
}
