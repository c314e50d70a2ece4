import CanonicalJSON
import ContentStore

/// What a run would do: a value to print and compare.
public struct Plan: Sendable {
    /// An action that would run, and why.
    public struct PlannedAction: Sendable {
        public let prefix: ShardPrefix
        public let reasons: [Reason]

        public init(prefix: ShardPrefix, reasons: [Reason]) {
            self.prefix = prefix
            self.reasons = reasons
        }
    }

    public struct PlannedStage: Sendable {
        public let name: String
        public let type: String
        /// Actions whose results are in the store.
        public let cached: Int
        public let toRun: [PlannedAction]
        /// Stages that have to run before more can be said; empty when everything is decided.
        public let decidedAfter: [String]
        /// A source that cannot be read, or another obstacle.
        public let problem: String?
        /// The artifacts, when all actions are cached.
        public let outputs: [String: Artifact]?
        /// What the keys of its actions hold of files and of programs; nil where these cannot be read.
        public let sources: [ActionPreimage.Input]?
        public let programs: [ActionPreimage.Input]

        public init(
            name: String, type: String, cached: Int, toRun: [PlannedAction], decidedAfter: [String], problem: String?,
            outputs: [String: Artifact]?, sources: [ActionPreimage.Input]? = nil, programs: [ActionPreimage.Input] = []
        ) {
            self.name = name
            self.type = type
            self.cached = cached
            self.toRun = toRun
            self.decidedAfter = decidedAfter
            self.problem = problem
            self.outputs = outputs
            self.sources = sources
            self.programs = programs
        }
    }

    public let pipeline: String
    public let stages: [PlannedStage]

    public init(pipeline: String, stages: [PlannedStage]) {
        self.pipeline = pipeline
        self.stages = stages
    }

    public var json: JSON {
        [
            "event": "plan", "pipeline": .string(pipeline),
            "stages": .array(stages.map(\.json)),
        ]
    }
}

extension Plan.PlannedStage {
    public var json: JSON {
        var object = JSONObject([
            ("stage", .string(name)), ("uses", .string(type)), ("cached", .integer(Int64(cached))),
            (
                "actions",
                .array(
                    toRun.map {
                        ["shard": .string($0.prefix.text), "reasons": .array($0.reasons.map(\.json))]
                    })
            ),
            ("decided_after", .array(decidedAfter.map { .string($0) })),
        ])
        if let problem { object["problem"] = .string(problem) }
        return .object(object)
    }
}
