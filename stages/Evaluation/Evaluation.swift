import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Accuracy per task, over all questions and as the mean over the tasks, with 95 % Wilson intervals, for each named
/// set of verified answers.
struct Evaluation: Stage {
    static let signature = StageSignature(
        "evaluation", version: 1, .reduce, "Counts right answers by task, with confidence intervals.",
        inputs: [
            InputPort(
                "sets", .generations, distribution: .whole, arity: .named,
                "Verified answers, under a name for each set.")
        ],
        outputs: [OutputPort("metrics", .metrics, "A row a set and task, and the rows all and macro of each set.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        var rows: [Accuracy] = []
        var accounting = Accounting()
        for set in context.roles(of: "sets") {
            let answers = try context.records(set, as: Reasoning.Generation.self)
            accounting.recordsIn += answers.count
            accounting.recordsOut += answers.count
            var table = AccuracyTable()
            for answer in answers { table.add(answer) }
            rows += table.rows(ofSet: set)
        }
        try context.write(rows, to: "metrics")
        return accounting
    }
}

extension AccuracyTable {
    /// The rows under the name of a test set: `in-domain/all`.
    func rows(ofSet set: String) -> [Accuracy] {
        rows.map { row in
            var row = row
            row.id = "\(set)/\(row.id)"
            return row
        }
    }
}
