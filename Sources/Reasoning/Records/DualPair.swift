import CanonicalJSON

/// Two chains of thought on one question that conclude differently: one right, one wrong (D_dual of EDIT §3.1).
public struct DualPair: Record {
    public static let artifactType = "dual-pairs/1"

    public enum Origin: String, Sendable, CaseIterable {
        /// The teacher was right at first; the wrong side is a corruption (D⁺_dual).
        case correctFirst = "correct-first"
        /// The teacher was wrong at first; the right side is rectified (D⁻_dual).
        case wrongFirst = "wrong-first"
        /// Both sides were sampled; the pair was found, not made.
        case natural
    }

    public var id: String
    public var task: String
    public var question: String
    /// The gold answer.
    public var answer: String
    public var correctCoT: String
    public var wrongCoT: String
    public var correctPredicted: String
    public var wrongPredicted: String
    public var origin: Origin
    /// Share of differing words, see ``WordDifference``.
    public var differingShare: Double
    /// Where the wrong side goes wrong, when its author knows.
    public var mistakes: [Mistake]?

    public init(
        id: String, task: String, question: String, answer: String, correctCoT: String, wrongCoT: String,
        correctPredicted: String, wrongPredicted: String, origin: Origin, differingShare: Double,
        mistakes: [Mistake]? = nil
    ) {
        self.id = id
        self.task = task
        self.question = question
        self.answer = answer
        self.correctCoT = correctCoT
        self.wrongCoT = wrongCoT
        self.correctPredicted = correctPredicted
        self.wrongPredicted = wrongPredicted
        self.origin = origin
        self.differingShare = differingShare
        self.mistakes = mistakes
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        task = try json.string("task")
        question = try json.string("question")
        answer = try json.string("answer")
        correctCoT = try json.string("correct_cot")
        wrongCoT = try json.string("wrong_cot")
        correctPredicted = try json.string("correct_predicted")
        wrongPredicted = try json.string("wrong_predicted")
        origin = try json.choice("origin", of: Origin.self)
        differingShare = try json.share("differing_share")
        mistakes = try Mistake.list(in: json, length: wrongCoT.utf8.count)
    }

    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("task", .string(task)), ("question", .string(question)), ("answer", .string(answer)),
            ("correct_cot", .string(correctCoT)), ("wrong_cot", .string(wrongCoT)),
            ("correct_predicted", .string(correctPredicted)), ("wrong_predicted", .string(wrongPredicted)),
            ("origin", .string(origin.rawValue)), ("differing_share", .number(differingShare)),
        ])
        object["mistakes"] = mistakes.map { .array($0.map(\.json)) }
        return .object(object)
    }
}
