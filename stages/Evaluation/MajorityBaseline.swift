import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// What always giving a task's most frequent training answer would score: the floor a student has to leave behind.
struct MajorityBaseline: Stage {
    static let signature = StageSignature(
        "majority-baseline", version: 1, .reduce, "Scores the most frequent answer of each task.",
        inputs: [
            InputPort(
                "train", .questions, distribution: .whole, "Where answers are counted; a task not in it scores 0."),
            InputPort(
                "sets", .questions, distribution: .whole, arity: .named, "Test questions, under a name for each set."),
        ],
        outputs: [OutputPort("metrics", .metrics, "Rows as evaluation writes them.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        var counts: [String: [String: Int]] = [:]
        for question in try context.records("train", as: Question.self) {
            counts[question.task, default: [:]][question.answer, default: 0] += 1
        }
        let majority = counts.mapValues { answers in
            answers.min { ($1.value, $0.key) < ($0.value, $1.key) }!.key
        }
        var rows: [Accuracy] = []
        var accounting = Accounting()
        for set in context.roles(of: "sets") {
            let questions = try context.records(set, as: Question.self)
            accounting.recordsIn += questions.count
            accounting.recordsOut += questions.count
            var table = AccuracyTable()
            for question in questions {
                table.add(task: question.task, correct: majority[question.task] == question.answer, unparsed: false)
            }
            rows += table.rows(ofSet: set)
        }
        try context.write(rows, to: "metrics")
        return accounting
    }
}
