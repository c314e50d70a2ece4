import CanonicalJSON

/// A student's answer to one question.
public struct Generation: Record {
    public static let artifactType = "generations/1"

    /// Why decoding ended.
    public enum FinishReason: String, Sendable, CaseIterable {
        /// The model wrote its end-of-sequence token.
        case stop
        /// The limit on new tokens was reached.
        case length
    }

    /// The identifier of the question.
    public var id: String
    public var task: String
    public var question: String
    /// The gold answer.
    public var answer: String
    public var output: String
    /// The answer found in `output` in normal form; nil when there is none.
    public var predicted: String?
    public var correct: Bool
    public var finishReason: FinishReason
    /// Generated tokens, the end of sequence included.
    public var tokens: Int

    public init(
        id: String, task: String, question: String, answer: String, output: String, predicted: String?, correct: Bool,
        finishReason: FinishReason, tokens: Int
    ) {
        self.id = id
        self.task = task
        self.question = question
        self.answer = answer
        self.output = output
        self.predicted = predicted
        self.correct = correct
        self.finishReason = finishReason
        self.tokens = tokens
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        task = try json.string("task")
        question = try json.string("question")
        answer = try json.string("answer")
        output = try json.string("output")
        predicted = try json.optionalString("predicted")
        correct = try json.bool("correct")
        finishReason = try json.choice("finish_reason", of: FinishReason.self)
        tokens = try json.count("tokens")
    }

    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("task", .string(task)), ("question", .string(question)), ("answer", .string(answer)),
            ("output", .string(output)), ("correct", .bool(correct)), ("finish_reason", .string(finishReason.rawValue)),
            ("tokens", .count(tokens)),
        ])
        object["predicted"] = predicted.map(JSON.string)
        return .object(object)
    }
}
