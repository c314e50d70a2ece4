import CanonicalJSON

/// Where a training job keeps what it needs to go on after an interruption.
public struct ResumeSettings: Sendable, Equatable {
    /// A directory of this job's own; made when it is missing. The job never empties it: remove it when the
    /// checkpoint is safe.
    public var directory: String
    /// Seconds between saves, at least. The end of the process by SIGTERM saves too.
    public var seconds: Double
    /// Steps between saves beside that; nil for no such rule.
    public var steps: Int?

    public init(directory: String, seconds: Double = 60, steps: Int? = nil) {
        self.directory = directory
        self.seconds = seconds
        self.steps = steps
    }
}

extension ResumeSettings {
    public var json: JSON {
        ["directory": .string(directory), "seconds": .number(seconds), "steps": .optional(steps)]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            directory: try json.string("directory"), seconds: try json.double("seconds"),
            steps: try json.optionalInteger("steps"))
        try json.check("seconds", seconds >= 0, "must not be negative")
        try json.check("steps", steps ?? 1 >= 1, "must be at least 1, or null for no such rule")
    }
}
