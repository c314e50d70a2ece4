/// One output of one stage.
public struct OutputReference: Hashable, Sendable, CustomStringConvertible {
    public let stage: String
    public let output: String

    public init(stage: String, output: String) {
        self.stage = stage
        self.output = output
    }

    public var description: String { "\(stage).\(output)" }
}

/// An artifact bound to an input of a stage.
public struct InputBinding: Sendable {
    /// Unique within the stage: the port's name; `name[i]` for a list; the user's own name for a named port.
    public let role: String
    public let port: InputPort
    public let source: OutputReference

    public init(role: String, port: InputPort, source: OutputReference) {
        self.role = role
        self.port = port
        self.source = source
    }
}

/// A stage of a pipeline: a stage type with parameters and inputs.
public struct StageNode: Sendable {
    public let name: String
    public let stage: any Stage
    public let parameters: StageParameters
    public let inputs: [InputBinding]
    public let location: SourceLocation?

    public init(
        name: String, stage: any Stage, parameters: StageParameters, inputs: [InputBinding], location: SourceLocation?
    ) {
        self.name = name
        self.stage = stage
        self.parameters = parameters
        self.inputs = inputs
        self.location = location
    }

    public var signature: StageSignature { type(of: stage).signature }
}

/// A validated graph: names are unique, every input is bound to an output of its type, and there is no cycle.
public struct Pipeline: Sendable {
    public let name: String
    /// Every stage stands behind the stages it depends on; otherwise the order of the file.
    public let stages: [StageNode]
    /// The stages the pipeline was cut down to; nil for a whole pipeline.
    public let targets: Set<String>?

    /// The caller has validated the graph; ``PipelineDraft/validated(against:)`` does.
    public init(name: String, stages: [StageNode], targets: Set<String>? = nil) {
        self.name = name
        self.stages = stages
        self.targets = targets
    }

    public func stage(_ name: String) -> StageNode? { stages.first { $0.name == name } }

    /// The pipeline cut down to the named stages and what they depend on. O(stages + inputs).
    public func restricted(to targets: [String]) -> Pipeline {
        var needed = Set(targets)
        for node in stages.reversed() where needed.contains(node.name) {
            needed.formUnion(node.inputs.map(\.source.stage))
        }
        return Pipeline(name: name, stages: stages.filter { needed.contains($0.name) }, targets: Set(targets))
    }

    /// The outputs a run is for, by stage: those of the targets, or of a whole pipeline those that no stage reads. A run
    /// leaves their content in the store; of the others, what some action still has to read. O(stages + inputs).
    public var wantedOutputs: [String: Set<String>] {
        if let targets {
            let named = stages.filter { targets.contains($0.name) }
            return Dictionary(uniqueKeysWithValues: named.map { ($0.name, Set($0.signature.outputs.map(\.name))) })
        }
        let read = Set(stages.flatMap { $0.inputs.map(\.source) })
        return Dictionary(
            uniqueKeysWithValues: stages.map { node in
                let outputs = node.signature.outputs.map(\.name)
                return (node.name, Set(outputs.filter { !read.contains(.init(stage: node.name, output: $0)) }))
            })
    }
}
