import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// One table of all students on all test sets, as Markdown and JSON.
struct Report: Stage {
    static let signature = StageSignature(
        "report", version: 1, .reduce, "Puts accuracies and key-step shares into a table.",
        parameters: [Parameter("title", .string, default: "Results", "The heading.")],
        inputs: [
            InputPort("key-steps", .keySteps, distribution: .whole, arity: .optional, "Key-step shares of the pairs."),
            InputPort("students", .metrics, distribution: .whole, arity: .named, "Metrics, under the student's name."),
        ],
        outputs: [OutputPort("report", .report, layout: .tree, "report.md and report.json.")])

    private let title: String

    init(_ parameters: StageParameters) { title = parameters.string("title") }

    func run(_ context: any ActionContext) throws -> Accounting {
        let students = try context.roles(of: "students").map { role in
            StudentRow(name: role, metrics: try context.records(role, as: Accuracy.self))
        }
        let keySteps = try context.records(ofPort: "key-steps", as: KeySteps.self)
        let rows = students.reduce(0) { $0 + $1.metrics.count } + keySteps.count
        let directory = "\(context.scratchDirectory)/report"
        try FileBytes.makeDirectory(directory)
        let report = ReportDocument(title: title, students: students, keySteps: keySteps)
        try FileBytes.write(Array(report.markdown.utf8), to: "\(directory)/report.md")
        try FileBytes.write(report.json.canonicalBytes, to: "\(directory)/report.json")
        try context.write(directory: directory, to: "report")
        return Accounting(recordsIn: rows, recordsOut: rows)
    }
}
