import CanonicalJSON

/// What `retort` asks of `retort-student`, written as one JSON object in a file.
public enum StudentJob: Sendable, Equatable {
    case train(TrainingJob)
    case generate(GenerationJob)
    case score(ScoringJob)
    case inspect(InspectionJob)
    case convert(ConversionJob)
}

extension StudentJob {
    /// The word that `"job"` holds.
    private var word: String {
        switch self {
        case .train: "train"
        case .generate: "generate"
        case .score: "score"
        case .inspect: "inspect"
        case .convert: "convert"
        }
    }

    private var fields: JSON {
        switch self {
        case .train(let job): job.json
        case .generate(let job): job.json
        case .score(let job): job.json
        case .inspect(let job): job.json
        case .convert(let job): job.json
        }
    }

    /// Threads of tensor operations.
    public var threads: Int {
        switch self {
        case .train(let job): job.execution.threads
        case .generate(let job): job.execution.threads
        case .score(let job): job.execution.threads
        case .inspect, .convert: 1
        }
    }

    /// `{"job": "train", …the job's fields}`.
    public var json: JSON {
        var object = fields.object!
        object["job"] = .string(word)
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
        case "score": self = .score(try ScoringJob(json: object))
        case "inspect": self = .inspect(try InspectionJob(json: object))
        case "convert": self = .convert(try ConversionJob(json: object))
        case let other:
            throw JSONFieldError(
                field: "job", problem: "should be train, generate, score, inspect or convert, found \"\(other)\"")
        }
    }

    /// The job file's bytes: canonical JSON and a line feed.
    public var fileBytes: [UInt8] { json.canonicalBytes + [UInt8(ascii: "\n")] }

    /// Reads a job file's bytes.
    ///
    /// - Throws: `JSONSyntaxError` or `JSONFieldError`.
    public init(fileBytes: [UInt8]) throws { try self.init(json: JSON.parse(fileBytes)) }
}
