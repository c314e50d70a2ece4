import CanonicalJSON

extension WorkerEvent {
    public var json: JSON {
        switch self {
        case .step(let step):
            var object = step.json.object!
            object["event"] = "step"
            return .object(object)
        case .progress(let progress):
            return [
                "event": "progress", "done": .whole(progress.done), "total": .whole(progress.total),
                "unit": .string(progress.unit),
            ]
        case .done(let summary):
            return [
                "event": "done", "output": .string(summary.output), "steps": .whole(summary.steps),
                "tokens": .whole(summary.tokens), "seconds": .number(summary.seconds),
            ]
        case .failed(let message): return ["event": "error", "message": .string(message)]
        }
    }

    /// The event as a line of JSON, line feed included.
    public var line: [UInt8] { json.canonicalBytes + [UInt8(ascii: "\n")] }

    /// Reads one line, with or without its line feed.
    ///
    /// - Throws: `JSONSyntaxError` or `JSONFieldError`.
    public init(line: some Collection<UInt8>) throws {
        let json = try JSON.parse(line)
        guard let object = json.object else {
            throw JSONFieldError(field: "event", problem: "should be in an object, found \(json.kind)")
        }
        switch try object.string("event") {
        case "step": self = .step(try TrainingStep(json: object))
        case "progress":
            self = .progress(
                WorkProgress(
                    done: try object.integer("done"), total: try object.integer("total"),
                    unit: try object.string("unit")))
        case "done":
            self = .done(
                WorkSummary(
                    output: try object.string("output"), steps: try object.integer("steps"),
                    tokens: try object.integer("tokens"), seconds: try object.double("seconds")))
        case "error": self = .failed(try object.string("message"))
        case let other: throw JSONFieldError(field: "event", problem: "is \"\(other)\", which is not known")
        }
    }
}

extension TrainingStep {
    /// Members that are nil are left out.
    public var json: JSON {
        var object = JSONObject([
            ("step", .whole(step)), ("steps", .whole(steps)), ("epoch", .number(epoch)),
            ("loss", .number(loss)), ("learning_rate", .number(learningRate)),
            ("gradient_norm", .number(gradientNorm)), ("tokens", .whole(tokens)),
        ])
        object["token_accuracy"] = tokenAccuracy.map { .number($0) }
        object["key_accuracy"] = keyAccuracy.map { .number($0) }
        object["rejected_nll"] = rejectedNLL.map { .number($0) }
        object["preference_accuracy"] = preferenceAccuracy.map { .number($0) }
        object["unweighted_drift"] = unweightedDrift.map { .number($0) }
        object["tokens_per_second"] = tokensPerSecond.map { .number($0) }
        return .object(object)
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            step: try json.integer("step"), steps: try json.integer("steps"), epoch: try json.double("epoch"),
            loss: try json.double("loss"), learningRate: try json.double("learning_rate"),
            gradientNorm: try json.double("gradient_norm"), tokenAccuracy: try json.optionalDouble("token_accuracy"),
            keyAccuracy: try json.optionalDouble("key_accuracy"), rejectedNLL: try json.optionalDouble("rejected_nll"),
            preferenceAccuracy: try json.optionalDouble("preference_accuracy"),
            unweightedDrift: try json.optionalDouble("unweighted_drift"),
            tokens: try json.integer("tokens"), tokensPerSecond: try json.optionalDouble("tokens_per_second"))
    }
}
