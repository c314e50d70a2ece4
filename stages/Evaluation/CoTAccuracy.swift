import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// How often a teacher was right, by task: verdicts of sampled chains of thought as an evaluation.
struct CoTAccuracy: Stage {
    static let signature = StageSignature(
        "cot-accuracy", version: 1, .reduce, "Counts a teacher's right and wrong answers by task.",
        parameters: [Parameter("title", .string, default: "Teacher", "The heading of the report.")],
        inputs: [
            InputPort("cots", .cots, distribution: .whole, arity: .list, "Sampled chains of thought.")
        ],
        outputs: [
            OutputPort("metrics", .metrics, "A row a task, and the rows all and macro."),
            OutputPort("report", .report, layout: .tree, "The counts as a table: report.md and report.json."),
        ])

    private let title: String

    init(_ parameters: StageParameters) { title = parameters.string("title") }

    func run(_ context: any ActionContext) throws -> Accounting {
        let cots = try context.records(ofPort: "cots", as: ChainOfThought.self)
        var table = AccuracyTable()
        for cot in cots { table.add(task: cot.task, correct: cot.correct, unparsed: cot.predicted == nil) }
        let rows = table.rows
        try context.write(rows, to: "metrics")
        try ReportDirectory(context).write(markdown: markdown(rows), json: .array(rows.map(\.json)), to: "report")
        return Accounting(recordsIn: cots.count, recordsOut: cots.count)
    }

    private func markdown(_ rows: [Accuracy]) -> String {
        let counted = rows.filter { $0.id != "macro" }
        let lines = MarkdownTable(
            header: ["task", "n", "right", "wrong", "wrong, without an answer", "accuracy"],
            rows: counted.map { row in
                [
                    row.id.hasPrefix("task:") ? String(row.id.dropFirst(5)) : row.id, "\(row.n)", "\(row.correct)",
                    "\(row.n - row.correct)", "\(row.unparsed)", Percentage.text(row.accuracy),
                ]
            }
        ).lines
        return (["# \(title)", ""] + lines).joined(separator: "\n") + "\n"
    }
}
