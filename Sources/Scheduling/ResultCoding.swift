import CanonicalJSON
import ContentStore
import StageGraph

/// The `outputs` document of an action's result in the action cache.
///
/// Map action: `{"accounting": …, "outputs": {"port": {"shard": {…}} or {}}}`; other actions and stage memos have
/// `{"artifact": manifest digest}` per port, and memos `actions` and the digest of a blob with the actions' keys.
enum ResultCoding {
    static func encode(_ accounting: Accounting) -> JSON {
        [
            "records_in": .integer(Int64(accounting.recordsIn)),
            "records_out": .integer(Int64(accounting.recordsOut)),
            "dropped": .object(JSONObject(accounting.dropped.map { ($0.key, .integer(Int64($0.value))) })),
        ]
    }

    static func decodeAccounting(_ json: JSONObject) throws(JSONFieldError) -> Accounting {
        var dropped: [String: Int] = [:]
        for (reason, count) in try json.object("dropped").members {
            guard let count = count.integer else {
                throw JSONFieldError(field: "dropped.\(reason)", problem: "should be an integer")
            }
            dropped[reason] = count
        }
        return Accounting(
            recordsIn: try json.integer("records_in"), recordsOut: try json.integer("records_out"), dropped: dropped)
    }

    static func encode(_ outcome: ActionOutcome) -> JSON {
        let outputs = outcome.outputs.map { name, output -> (String, JSON) in
            switch output {
            case .shard(nil): (name, [:])
            case .shard(let shard?):
                (
                    name,
                    [
                        "shard": [
                            "prefix": .string(shard.prefix.text), "digest": .string(shard.digest.hex),
                            "records": .integer(Int64(shard.records)), "bytes": .integer(Int64(shard.bytes)),
                        ]
                    ]
                )
            case .artifact(let artifact): (name, ["artifact": .string(artifact.digest.hex)])
            }
        }
        return ["outputs": .object(JSONObject(outputs)), "accounting": encode(outcome.accounting)]
    }

    /// Blobs a result needs.
    static func references(_ outputs: some Sequence<ActionOutput>) -> [Digest] {
        outputs.flatMap { output -> [Digest] in
            switch output {
            case .shard(let shard): shard.map { [$0.digest] } ?? []
            case .artifact(let artifact): [artifact.digest] + artifact.blobs
            }
        }
    }

    /// - Throws: ``JSONFieldError`` or a store error for a result this code did not write.
    static func decode(
        _ json: JSON, signature: StageSignature, prefix: ShardPrefix, store: some BlobStore
    ) throws -> ActionOutcome {
        guard let document = json.object else { throw JSONFieldError(field: "outputs", problem: "is no object") }
        let written = try document.object("outputs")
        var outputs: [String: ActionOutput] = [:]
        for port in signature.outputs {
            let output = try written.object(port.name)
            if signature.granularity != .map {
                outputs[port.name] = .artifact(try artifact(output, port, store))
            } else if let shard = output["shard"]?.object {
                guard let digest = Digest(hex: try shard.string("digest")), try shard.string("prefix") == prefix.text
                else { throw JSONFieldError(field: port.name, problem: "is not the shard \(prefix)") }
                outputs[port.name] = .shard(
                    Shard(
                        prefix: prefix, digest: digest, records: try shard.integer("records"),
                        bytes: try shard.integer("bytes")))
            } else {
                outputs[port.name] = .shard(nil)
            }
        }
        return ActionOutcome(
            outputs: outputs, accounting: try decodeAccounting(try document.object("accounting")), seconds: 0)
    }

    static func encode(_ outcome: StageOutcome, keys: Digest) -> JSON {
        [
            "outputs": .object(
                JSONObject(outcome.outputs.map { ($0.key, ["artifact": .string($0.value.digest.hex)]) })),
            "accounting": encode(outcome.accounting), "actions": .integer(Int64(outcome.actions)),
            "keys": .string(keys.hex),
        ]
    }

    static func decodeMemo(
        _ json: JSON, signature: StageSignature, partition: [ShardPrefix], store: some BlobStore
    ) throws -> StageOutcome {
        guard let document = json.object else { throw JSONFieldError(field: "outputs", problem: "is no object") }
        let outputs = try decodeArtifacts(json, signature: signature, store: store)
        for (name, artifact) in outputs {
            // Both are in the order of the prefixes.
            var tasks = partition[...]
            for shard in artifact.shards {
                tasks = tasks.drop { $0 < shard.prefix }
                guard tasks.first == shard.prefix else {
                    throw JSONFieldError(field: name, problem: "has a shard that is no task of the stage")
                }
            }
        }
        return StageOutcome(
            outputs: outputs, accounting: try decodeAccounting(try document.object("accounting")),
            actions: try document.integer("actions"))
    }

    /// The manifests that a result of either kind names. O(outputs).
    static func artifacts(_ json: JSON) -> [Digest] {
        (json["outputs"]?.object?.members ?? []).compactMap { _, output in
            output["artifact"]?.string.flatMap { Digest(hex: $0) }
        }
    }

    /// The whole artifacts of a memo or of a source's or reduce stage's result.
    static func decodeArtifacts(
        _ json: JSON, signature: StageSignature, store: some BlobStore
    ) throws -> [String: Artifact] {
        guard let written = try json.object?.object("outputs") else {
            throw JSONFieldError(field: "outputs", problem: "is no object")
        }
        var outputs: [String: Artifact] = [:]
        for port in signature.outputs { outputs[port.name] = try artifact(try written.object(port.name), port, store) }
        return outputs
    }

    private static func artifact(_ output: JSONObject, _ port: OutputPort, _ store: some BlobStore) throws -> Artifact {
        guard let digest = Digest(hex: try output.string("artifact")) else {
            throw JSONFieldError(field: port.name, problem: "holds no digest")
        }
        let artifact = try store.readArtifact(digest)
        guard artifact.type == port.type else {
            throw JSONFieldError(field: port.name, problem: "is \(artifact.type), not \(port.type)")
        }
        return artifact
    }
}
