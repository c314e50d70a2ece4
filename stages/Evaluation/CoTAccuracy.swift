import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// How often a teacher was right, by task: verdicts of sampled chains of thought as an evaluation.
struct CoTAccuracy: Stage {
    static let signature = StageSignature(
        "cot-accuracy", version: 1, .reduce, "Counts a teacher's right answers by task.",
        inputs: [InputPort("cots", .cots, distribution: .whole, arity: .list, "Sampled chains of thought.")],
        outputs: [OutputPort("metrics", .metrics, "A row a task, and the rows all and macro.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let cots = try context.records(ofPort: "cots", as: ChainOfThought.self)
        var table = AccuracyTable()
        for cot in cots { table.add(task: cot.task, correct: cot.correct, unparsed: cot.predicted == nil) }
        try context.write(table.rows, to: "metrics")
        return Accounting(recordsIn: cots.count, recordsOut: cots.count)
    }
}
