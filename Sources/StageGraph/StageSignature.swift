import ContentStore

/// How a stage's work is cut into actions.
public enum Granularity: Sendable, Hashable {
    /// One action, no inputs from other stages: it brings records in.
    case source
    /// One action a shard. Outputs keep the ids of the records, so that shards line up along a pipeline.
    case map
    /// One action over whole artifacts.
    case reduce
}

/// How an input reaches the actions of a map stage.
public enum Distribution: Sendable, Hashable {
    /// Each action sees the records of its own shard.
    case sharded
    /// Each action sees the whole artifact.
    case whole
}

/// A typed input of a stage.
public struct InputPort: Sendable {
    /// How many artifacts bind to the port.
    public enum Arity: Sendable {
        case one
        case optional
        /// A list of at least one.
        case list
        /// Any number of inputs under names the user chooses.
        case named
    }

    public let name: String
    public let type: ArtifactType
    public let distribution: Distribution
    public let arity: Arity
    public let summary: String

    public init(
        _ name: String, _ type: ArtifactType, distribution: Distribution = .sharded, arity: Arity = .one,
        _ summary: String
    ) {
        self.name = name
        self.type = type
        self.distribution = distribution
        self.arity = arity
        self.summary = summary
    }
}

/// A typed output of a stage.
public struct OutputPort: Sendable {
    /// How an artifact's content is laid out.
    public enum Layout: Sendable, Hashable {
        /// Canonical JSON Lines, partitioned by id.
        case records
        /// One safetensors file a shard, partitioned by id.
        case tensors
        /// A directory.
        case tree
    }

    public let name: String
    public let type: ArtifactType
    public let layout: Layout
    public let summary: String

    public init(_ name: String, _ type: ArtifactType, layout: Layout = .records, _ summary: String) {
        self.name = name
        self.type = type
        self.layout = layout
        self.summary = summary
    }
}

/// What a stage type is: its name and version, parameters and ports. All that planning needs to know.
public struct StageSignature: Sendable {
    /// The name in a pipeline file's `uses:`.
    public let name: String
    /// Bumped when the stage's behaviour changes, so that no result of the old behaviour is used.
    public let version: Int
    public let summary: String
    public let granularity: Granularity
    public let parameters: [Parameter]
    public let inputs: [InputPort]
    public let outputs: [OutputPort]
    /// Programs the stage starts whatever its parameters; their digests are part of the action key.
    public let programs: [String]

    public init(
        _ name: String, version: Int, _ granularity: Granularity, _ summary: String, parameters: [Parameter] = [],
        inputs: [InputPort] = [], outputs: [OutputPort], programs: [String] = []
    ) {
        self.name = name
        self.version = version
        self.granularity = granularity
        self.summary = summary
        self.parameters = parameters
        self.inputs = inputs
        self.outputs = outputs
        self.programs = programs
    }

    public func output(_ name: String) -> OutputPort? { outputs.first { $0.name == name } }
    public func input(_ name: String) -> InputPort? { inputs.first { $0.name == name } }
}
