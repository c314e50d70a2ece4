import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// One table of all students on all test sets, as Markdown and JSON.
struct Report: Stage {
    static let signature = StageSignature(
        "report", version: 2, .reduce, "Puts accuracies and key-step shares into tables, and draws some pairs.",
        parameters: [
            Parameter("title", .string, default: "Results", "The heading."),
            Parameter(
                "rows",
                .list(
                    .object([
                        Parameter("input", .string, "The name under which the metrics come in."),
                        Parameter("label", .string, "What the row is called."),
                    ])), default: [],
                "The students in order, with labels; by default all of them in the order of their names."),
            Parameter(
                "drawn-pairs", .nonNegativeInteger, default: 3,
                "Aligned pairs to draw, at most: of each task the one whose key-step share is the median."),
        ],
        inputs: [
            InputPort("key-steps", .keySteps, distribution: .whole, arity: .optional, "Key-step shares of the pairs."),
            InputPort(
                "alignments", .alignments, distribution: .whole, arity: .optional, "Aligned pairs, to draw some."),
            InputPort("students", .metrics, distribution: .whole, arity: .named, "Metrics, under the student's name."),
        ],
        outputs: [OutputPort("report", .report, layout: .tree, "report.md, report.html and report.json.")])

    private let title: String
    private let rows: [(input: String, label: String)]
    private let drawnPairs: Int

    init(_ parameters: StageParameters) {
        title = parameters.string("title")
        rows = parameters["rows"].array!.map { ($0["input"]!.string!, $0["label"]!.string!) }
        drawnPairs = parameters.integer("drawn-pairs")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let students = try rowsInOrder(context.roles(of: "students")).map { input, label in
            StudentRow(name: label, metrics: try context.records(input, as: Accuracy.self))
        }
        let keySteps = try context.records(ofPort: "key-steps", as: KeySteps.self)
        let alignments = try context.records(ofPort: "alignments", as: Reasoning.Alignment.self)
        let count = students.reduce(0) { $0 + $1.metrics.count } + keySteps.count + alignments.count
        let report = ReportDocument(
            title: title, students: students, keySteps: keySteps,
            pairs: SamplePairs(of: alignments, limit: drawnPairs).pairs)
        try ReportDirectory(context).write(
            markdown: ReportBlock.markdown(report.blocks), html: ReportBlock.html(report.blocks, title: title),
            json: report.json, to: "report")
        return Accounting(recordsIn: count, recordsOut: count)
    }

    private func rowsInOrder(_ inputs: [String]) throws -> [(input: String, label: String)] {
        guard !rows.isEmpty else { return inputs.map { ($0, $0) } }
        if let unknown = rows.first(where: { row in !inputs.contains(row.input) }) {
            throw InvalidParameters(
                "rows names \"\(unknown.input)\", which is no input; the inputs are \(inputs.joined(separator: ", "))")
        }
        if let left = inputs.first(where: { input in !rows.contains { $0.input == input } }) {
            throw InvalidParameters("rows leaves out the input \"\(left)\"")
        }
        return rows
    }
}
