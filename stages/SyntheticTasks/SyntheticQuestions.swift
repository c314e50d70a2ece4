import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import SyntheticTasks

/// Questions of generated families, each a function of seed, family, level and place: a greater count only adds.
struct SyntheticQuestions: Stage {
    static let signature = StageSignature(
        "synthetic-tasks", version: 1, .source, "Generates reasoning questions with gold answers.",
        parameters: [
            Parameter("count", .positiveInteger, "Questions in all; families and levels take turns."),
            Parameter("seed", .nonNegativeInteger, default: 0, "Another seed gives other questions."),
            Parameter(
                "families", .list(.choice(TaskCatalog.names)),
                default: .array(TaskCatalog.names.map { .string($0) }), "Which families."),
            Parameter("levels", .list(.integer(1...4)), default: [1, 2], "Difficulty levels."),
        ] + Parameter.sharding,
        outputs: [OutputPort("questions", .questions, "The questions.")])

    private let set: QuestionSet
    private let count: Int
    private let limit: ShardLimit

    init(_ parameters: StageParameters) throws {
        count = parameters.integer("count")
        limit = parameters.shardLimit
        do {
            set = try QuestionSet(
                families: parameters.strings("families"), levels: parameters["levels"].array!.map { $0.integer! },
                seed: UInt64(parameters.integer("seed")))
        } catch {
            throw InvalidParameters("\(error)", parameter: "families")
        }
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let questions = try set.questions(count: count)
        try context.write(questions, to: "questions", limit: limit)
        return Accounting(recordsIn: questions.count, recordsOut: questions.count)
    }
}
