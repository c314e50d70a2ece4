import CanonicalJSON

/// An example for the contrastive prompt (CCP): a right and a wrong response to one question.
public struct Demonstration: Record {
    public static let artifactType = "demonstrations/1"

    public var id: String
    public var task: String
    public var question: String
    public var rightResponse: String
    public var wrongResponse: String

    public init(id: String, task: String, question: String, rightResponse: String, wrongResponse: String) {
        self.id = id
        self.task = task
        self.question = question
        self.rightResponse = rightResponse
        self.wrongResponse = wrongResponse
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        task = try json.string("task")
        question = try json.string("question")
        rightResponse = try json.string("right_response")
        wrongResponse = try json.string("wrong_response")
    }

    public var json: JSON {
        .object(
            JSONObject([
                ("id", .string(id)), ("task", .string(task)), ("question", .string(question)),
                ("right_response", .string(rightResponse)), ("wrong_response", .string(wrongResponse)),
            ]))
    }
}
