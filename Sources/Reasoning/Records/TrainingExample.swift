import CanonicalJSON

/// A question as a student sees it and what it should write: a line of training data before it becomes tokens.
public struct TrainingExample: Record {
    public static let artifactType = "examples/1"

    /// The identifier of the chain of thought, with `#` and the name of the part where one gives several examples.
    public var id: String
    public var task: String
    /// Goes where the prompt has `{question}`, with the marker of the recipe before it.
    public var question: String
    /// The beginning of the answer that is given and not learnt; nil for none.
    public var given: String?
    /// What is learnt.
    public var completion: String
    /// What the example counts in the loss; nil: 1.
    public var weight: Double?

    public init(
        id: String, task: String, question: String, given: String? = nil, completion: String, weight: Double? = nil
    ) {
        self.id = id
        self.task = task
        self.question = question
        self.given = given
        self.completion = completion
        self.weight = weight
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        task = try json.string("task")
        question = try json.string("question")
        given = try json.optionalString("given")
        completion = try json.string("completion")
        weight = try json.optionalDouble("weight")
    }

    public var json: JSON {
        var object = JSONObject([
            ("id", .string(id)), ("task", .string(task)), ("question", .string(question)),
            ("completion", .string(completion)),
        ])
        object["given"] = given.map(JSON.string)
        object["weight"] = weight.map(JSON.number)
        return .object(object)
    }
}
