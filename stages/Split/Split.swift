import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Splits questions into train and test by a seeded hash of task and id, so that adding a question moves no other.
///
/// A reduce stage, though each question is decided alone: a test set is a small part, and cut along with the whole it
/// would lie in many tiny shards, each of which costs the start of a worker when a student answers it.
struct Split: Stage {
    static let signature = StageSignature(
        "split", version: 1, .reduce, "Splits questions into train and test by a seeded hash of the id.",
        parameters: [
            Parameter("test-fraction", .fraction, default: 0.2, "Share of each task that goes into the test set."),
            Parameter("seed", .anyInteger, default: 0, "Another seed gives another split."),
        ] + Parameter.sharding,
        inputs: [InputPort("questions", .questions, distribution: .whole, "What to split.")],
        outputs: [
            OutputPort("train", .questions, "For training."),
            OutputPort("test", .questions, "Held out."),
        ])

    private let testFraction: Double
    private let seed: Int
    private let limit: ShardLimit

    init(_ parameters: StageParameters) {
        limit = parameters.shardLimit
        testFraction = parameters.double("test-fraction")
        seed = parameters.integer("seed")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let questions = try context.records("questions", as: Question.self)
        try context.write(questions.filter { !isTest($0) }, to: "train", limit: limit)
        try context.write(questions.filter { isTest($0) }, to: "test", limit: limit)
        return Accounting(recordsIn: questions.count, recordsOut: questions.count)
    }

    private func isTest(_ question: Question) -> Bool {
        SeededOrder(purpose: "split", seed: seed).fraction(of: question.id, in: question.task) < testFraction
    }
}
