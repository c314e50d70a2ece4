import CanonicalJSON

/// What `retort` asks of `retort-student`, written as one JSON object in a file.
public enum StudentJob: Sendable, Equatable {
    case train(TrainingJob)
    case generate(GenerationJob)
}

extension StudentJob {
    /// `{"job": "train" or "generate", …the job's fields}`.
    public var json: JSON {
        var object: JSONObject
        switch self {
        case .train(let job):
            object = job.json.object!
            object["job"] = "train"
        case .generate(let job):
            object = job.json.object!
            object["job"] = "generate"
        }
        return .object(object)
    }

    /// - Throws: `JSONFieldError` naming the field that is missing, of the wrong kind, or out of its range.
    public init(json: JSON) throws(JSONFieldError) {
        guard let object = json.object else {
            throw JSONFieldError(field: "job", problem: "should be in an object, found \(json.kind)")
        }
        switch try object.string("job") {
        case "train": self = .train(try TrainingJob(json: object))
        case "generate": self = .generate(try GenerationJob(json: object))
        case let other:
            throw JSONFieldError(field: "job", problem: "should be train or generate, found \"\(other)\"")
        }
    }

    /// The job file's bytes: canonical JSON and a line feed.
    public var fileBytes: [UInt8] { json.canonicalBytes + [UInt8(ascii: "\n")] }

    /// Reads a job file's bytes.
    ///
    /// - Throws: `JSONSyntaxError` or `JSONFieldError`.
    public init(fileBytes: [UInt8]) throws { try self.init(json: JSON.parse(fileBytes)) }
}
