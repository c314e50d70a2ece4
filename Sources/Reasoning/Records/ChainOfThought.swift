import CanonicalJSON

/// A teacher's chain of thought on one question, with the verifier's verdict (D⁺, D⁻, D⁻⁺ and D⁺⁻ of EDIT §3.1).
public struct ChainOfThought: Record {
    public static let artifactType = "cots/1"

    /// How a chain of thought came about.
    public enum Origin: String, Sendable, CaseIterable {
        /// Asked with the extraction prompt (CEP).
        case sampled
        /// Asked with the gold answer as a hint (AHP), after a wrong sample.
        case rectified
        /// Asked for a likely mistake (CCP), after a right sample.
        case corrupted
    }

    /// The identifier of the question, or of the sample where a question has several.
    public var id: String
    public var task: String
    public var question: String
    /// The gold answer.
    public var answer: String
    /// The rationale with its conclusion.
    public var cot: String
    /// The answer found in `cot` in normal form; nil when there is none.
    public var predicted: String?
    /// The verifier's verdict.
    public var correct: Bool
    public var origin: Origin
    /// The name of the teacher that wrote it.
    public var teacher: String
    /// Where the rationale goes wrong, when its author knows.
    public var mistakes: [Mistake]?
    /// A rectified rationale mentions that it was given the answer.
    public var hintLeaked: Bool?

    public init(
        id: String, task: String, question: String, answer: String, cot: String, predicted: String?, correct: Bool,
        origin: Origin, teacher: String, mistakes: [Mistake]? = nil, hintLeaked: Bool? = nil
    ) {
        self.id = id
        self.task = task
        self.question = question
        self.answer = answer
        self.cot = cot
        self.predicted = predicted
        self.correct = correct
        self.origin = origin
        self.teacher = teacher
        self.mistakes = mistakes
        self.hintLeaked = hintLeaked
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        task = try json.string("task")
        question = try json.string("question")
        answer = try json.string("answer")
        cot = try json.string("cot")
        predicted = try json.optionalString("predicted")
        correct = try json.bool("correct")
        origin = try json.choice("origin", of: Origin.self)
        teacher = try json.string("teacher")
        mistakes = try Mistake.list(in: json, length: cot.utf8.count)
        hintLeaked = try json.optionalBool("hint_leaked")
    }

    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("task", .string(task)), ("question", .string(question)), ("answer", .string(answer)),
            ("cot", .string(cot)), ("correct", .bool(correct)), ("origin", .string(origin.rawValue)),
            ("teacher", .string(teacher)),
        ])
        object["predicted"] = predicted.map(JSON.string)
        object["mistakes"] = mistakes.map { .array($0.map(\.json)) }
        object["hint_leaked"] = hintLeaked.map(JSON.bool)
        return .object(object)
    }
}
