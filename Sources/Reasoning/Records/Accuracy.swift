import CanonicalJSON

/// How many answers of a group were right: one row of an evaluation.
public struct Accuracy: Record {
    public static let artifactType = "metrics/1"

    /// `task:NAME` for one task, `all` for every question counted once, `macro` for the mean over the tasks.
    public var id: String
    /// Number of questions.
    public var n: Int
    public var correct: Int
    /// Answers in which the verifier found none; they count as wrong.
    public var unparsed: Int
    /// A share from 0 to 1: `correct / n`, or the mean of the tasks' accuracies in the row `macro`.
    public var accuracy: Double
    /// Bounds of the 95 % Wilson interval.
    public var low: Double
    public var high: Double

    public init(
        id: String, n: Int, correct: Int, unparsed: Int, accuracy: Double, low: Double, high: Double
    ) {
        self.id = id
        self.n = n
        self.correct = correct
        self.unparsed = unparsed
        self.accuracy = accuracy
        self.low = low
        self.high = high
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        id = try json.identifier()
        n = try json.count("n")
        correct = try json.count("correct")
        unparsed = try json.count("unparsed")
        accuracy = try json.share("accuracy")
        low = try json.share("low")
        high = try json.share("high")
        guard correct + unparsed <= n else {
            throw JSONFieldError(
                field: "n", problem: "is \(n), less than correct (\(correct)) and unparsed (\(unparsed)) together")
        }
    }

    public var json: JSON {
        .object(
            JSONObject([
                ("id", .string(id)), ("n", .count(n)), ("correct", .count(correct)), ("unparsed", .count(unparsed)),
                ("accuracy", .number(accuracy)), ("low", .number(low)), ("high", .number(high)),
            ]))
    }
}
