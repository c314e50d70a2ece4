import CanonicalJSON

/// A question with its gold answer, (q, a) of EDIT §3.1.
public struct Question: Record {
    public static let artifactType = "questions/1"

    public var id: String
    /// The task or family the question belongs to; statistics are kept by task.
    public var task: String
    public var question: String
    /// The gold answer in the form the task publishes it, such as `(B)`, `no` or `-12`.
    public var answer: String
    /// What the task asks for in general; the opening line of prompts.
    public var taskDescription: String?
    /// The texts of a multiple-choice question's options, in order, where they are known apart from the question.
    public var options: [String]?
    /// Difficulty, from 1; generated questions only.
    public var level: Int?

    public init(
        id: String, task: String, question: String, answer: String, taskDescription: String? = nil,
        options: [String]? = nil, level: Int? = nil
    ) {
        self.id = id
        self.task = task
        self.question = question
        self.answer = answer
        self.taskDescription = taskDescription
        self.options = options
        self.level = level
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        task = try json.string("task")
        question = try json.string("question")
        answer = try json.string("answer")
        taskDescription = try json.optionalString("task_description")
        options = try json.optionalStrings("options")
        level = try json.optionalInteger("level")
    }

    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("task", .string(task)), ("question", .string(question)), ("answer", .string(answer)),
        ])
        object["task_description"] = taskDescription.map(JSON.string)
        object["options"] = options.map { .array($0.map(JSON.string)) }
        object["level"] = level.map(JSON.count)
        return .object(object)
    }
}
