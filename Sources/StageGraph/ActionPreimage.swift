import CanonicalJSON
import ContentStore

/// Everything that decides a result, and nothing else: the pre-image of an action key.
///
/// Not in it: paths, names of pipelines and stages in them, the time, the host, the number of jobs, the zstd level,
/// and parameters declared as not keyed.
public struct ActionPreimage: Sendable, Equatable {
    /// What the key stands for.
    public enum Scope: String, Sendable {
        /// One run of a stage's code.
        case action
        /// All actions of a map stage, over whole input artifacts: a memo that spares looking up every action.
        case stage

        /// What the encoding of such a key begins with.
        fileprivate var domain: String {
            switch self {
            case .action: "retort.action/1"
            case .stage: "retort.stage/1"
            }
        }
    }

    /// Content behind a role.
    public struct Content: Sendable, Equatable {
        public let digest: Digest
        /// Shown in explanations; no part of the key, since the digest decides it.
        public let records: Int?
        /// The prefix of a shard or the name of a source file, likewise only for explanations.
        public let label: String?

        public init(digest: Digest, records: Int? = nil, label: String? = nil) {
            self.digest = digest
            self.records = records
            self.label = label
        }
    }

    /// A named group of contents: the shards, artifact or file an input role stands for.
    public struct Input: Sendable, Equatable {
        public let role: String
        public let contents: [Content]

        public init(role: String, contents: [Content]) {
            self.role = role
            self.contents = contents
        }
    }

    public let scope: Scope
    /// The stage type's name.
    public let stage: String
    public let version: Int
    /// The prefix of the shard a map stage's action works on; nil elsewhere. The action may only write records under
    /// it, so it decides the result: the same inputs under a coarser prefix are another action.
    public let shard: String?
    /// The keyed parameters, defaults filled in.
    public let parameters: JSONObject
    /// Artifacts and shards by role, sorted by role.
    public let inputs: [Input]
    /// Files and directories by role, sorted by role.
    public let sources: [Input]
    /// Programs the stage starts, sorted by name.
    public let programs: [Input]
    /// For a stage memo, how the work is cut into shards.
    public let partition: [ShardPrefix]
    /// The action key: SHA-256 over the canonical encoding. Computed once, in O(size): whoever decides an action asks for
    /// it several times.
    public let key: Digest

    public init(
        scope: Scope, stage: String, version: Int, shard: String? = nil, parameters: JSONObject, inputs: [Input],
        sources: [Input] = [], programs: [Input] = [], partition: [ShardPrefix] = []
    ) {
        self.scope = scope
        self.stage = stage
        self.version = version
        self.shard = shard
        self.parameters = parameters
        self.inputs = Self.ordered(inputs)
        self.sources = Self.ordered(sources)
        self.programs = Self.ordered(programs)
        self.partition = partition
        key = Digest(
            of: Self.encode(
                scope: scope, stage: stage, version: version, shard: shard, parameters: parameters,
                groups: [("inputs", self.inputs), ("sources", self.sources), ("programs", self.programs)],
                partition: partition))
    }

    private static func ordered(_ group: [Input]) -> [Input] {
        group.count < 2 ? group : group.sorted { compareUTF8($0.role, $1.role) < 0 }
    }

    /// What the key is the digest of.
    var encoded: [UInt8] {
        Self.encode(
            scope: scope, stage: stage, version: version, shard: shard, parameters: parameters,
            groups: [("inputs", inputs), ("sources", sources), ("programs", programs)], partition: partition)
    }

    private static func encode(
        scope: Scope, stage: String, version: Int, shard: String?, parameters: JSONObject,
        groups: [(name: String, inputs: [Input])], partition: [ShardPrefix]
    ) -> [UInt8] {
        var encoder = CanonicalEncoder(domain: scope.domain)
        encoder.field("stage", stage)
        encoder.field("version", version)
        if let shard { encoder.field("shard", shard) }
        encoder.field("parameters", JSON.object(parameters))
        for (name, group) in groups {
            encoder.list(name, count: group.count)
            for input in group {
                encoder.field("role", input.role)
                encoder.list("contents", count: input.contents.count)
                for content in input.contents { encoder.field("digest", content.digest) }
            }
        }
        encoder.list("partition", count: partition.count)
        for prefix in partition { encoder.field("prefix", prefix) }
        return encoder.bytes
    }
}

extension ActionPreimage {
    /// The form in which the pre-image is stored with its result.
    public var json: JSON {
        var object: JSONObject = JSONObject([
            ("scope", .string(scope.rawValue)), ("stage", .string(stage)), ("version", .integer(Int64(version))),
            ("parameters", .object(parameters)), ("inputs", json(inputs)), ("sources", json(sources)),
            ("programs", json(programs)),
        ])
        if let shard { object["shard"] = .string(shard) }
        // One text for all: a stage may have a hundred thousand shards.
        if scope == .stage { object["partition"] = .string(partition.map(\.description).joined(separator: " ")) }
        return .object(object)
    }

    private func json(_ group: [Input]) -> JSON {
        .object(
            JSONObject(
                group.map { input in
                    (
                        input.role,
                        JSON.array(
                            input.contents.map { content in
                                var object = JSONObject([("digest", .string(content.digest.hex))])
                                if let records = content.records { object["records"] = .integer(Int64(records)) }
                                if let label = content.label { object["label"] = .string(label) }
                                return .object(object)
                            })
                    )
                }))
    }

    /// Reads a stored pre-image.
    /// - Throws: ``JSONFieldError`` when a field is missing or malformed.
    public init(json: JSONObject) throws(JSONFieldError) {
        guard let scope = Scope(rawValue: try json.string("scope")) else {
            throw JSONFieldError(field: "scope", problem: "is neither action nor stage")
        }
        self.init(
            scope: scope, stage: try json.string("stage"), version: try json.integer("version"),
            shard: try json.optionalString("shard"), parameters: try json.object("parameters"),
            inputs: try Self.group(json, "inputs"),
            sources: try Self.group(json, "sources"), programs: try Self.group(json, "programs"),
            partition: scope == .stage ? try Self.partition(json) : [])
    }

    private static func partition(_ json: JSONObject) throws(JSONFieldError) -> [ShardPrefix] {
        // Earlier versions wrote a list.
        if let prefixes = json["partition"]?.array {
            return prefixes.compactMap { $0.string.flatMap { ShardPrefix($0) } }
        }
        return try json.string("partition").split(separator: " ").compactMap { ShardPrefix($0) }
    }

    private static func group(_ json: JSONObject, _ field: String) throws(JSONFieldError) -> [Input] {
        var group: [Input] = []
        for (role, value) in try json.object(field).members {
            var contents: [Content] = []
            for element in value.array ?? [] {
                guard let object = element.object, let digest = Digest(hex: try object.string("digest")) else {
                    throw JSONFieldError(field: "\(field).\(role)", problem: "holds no digest")
                }
                contents.append(
                    Content(
                        digest: digest, records: try object.optionalInteger("records"),
                        label: try object.optionalString("label")))
            }
            group.append(Input(role: role, contents: contents))
        }
        return group
    }
}
