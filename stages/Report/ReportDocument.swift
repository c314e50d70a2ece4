import CanonicalJSON
import Reasoning

/// A student's metrics over all test sets.
struct StudentRow {
    let name: String
    let metrics: [Accuracy]

    /// The row `all`, `macro` or `task:…` of a test set.
    func row(_ set: String, _ id: String) -> Accuracy? { metrics.first { $0.id == "\(set)/\(id)" } }
}

/// The final tables, and some pairs.
struct ReportDocument {
    let title: String
    let students: [StudentRow]
    let keySteps: [KeySteps]
    /// Aligned pairs to draw.
    let pairs: [Reasoning.Alignment]

    /// Test sets in the order in which they come up.
    private var sets: [String] {
        var sets: [String] = []
        for metric in students.flatMap(\.metrics) {
            let set = String(metric.id.prefix { $0 != "/" })
            if !sets.contains(set) { sets.append(set) }
        }
        return sets
    }

    /// What the report says, for whichever form.
    var blocks: [ReportBlock] {
        var blocks: [ReportBlock] = [
            .heading(1, title),
            .table(
                MarkdownTable(
                    header: ["student"] + sets.flatMap { ["\($0): accuracy", "95 % interval", "n", "macro"] },
                    rows: students.map { student in [student.name] + sets.flatMap { cells(student, $0) } })),
        ]
        if !keySteps.isEmpty {
            blocks.append(
                .paragraph(
                    "Key reasoning steps: the share of completion tokens in which the two sides of a pair differ."))
            blocks.append(
                .table(
                    MarkdownTable(
                        header: ["pairs of", "pairs", "key-step share", "median", "segments a pair"],
                        rows: keySteps.map {
                            [
                                $0.id, "\($0.pairs)", Percentage.text($0.keyShare), Percentage.text($0.medianKeyShare),
                                FixedPoint.text($0.meanSegments, digits: 1),
                            ]
                        })))
        }
        if !pairs.isEmpty {
            blocks.append(.heading(2, "Some pairs"))
            blocks += pairs.map(ReportBlock.pair)
        }
        for set in sets {
            blocks.append(.heading(2, "\(set), by task"))
            blocks.append(
                .table(
                    MarkdownTable(
                        header: ["task", "n"] + students.map(\.name),
                        rows: tasks(set).map { task in
                            let rows = students.map { $0.row(set, "task:\(task)") }
                            return [task, "\(rows.compactMap(\.self).first?.n ?? 0)"]
                                + rows.map { $0.map { Percentage.text($0.accuracy) } ?? "" }
                        })))
        }
        return blocks
    }

    var json: JSON {
        [
            "title": .string(title),
            "students": .array(
                students.map {
                    ["name": .string($0.name), "metrics": .array($0.metrics.map(\.json))]
                }),
            "key_steps": .array(keySteps.map(\.json)),
        ]
    }

    private func cells(_ student: StudentRow, _ set: String) -> [String] {
        guard let all = student.row(set, "all"), let macro = student.row(set, "macro") else { return ["", "", "", ""] }
        return [
            Percentage.text(all.accuracy), "\(Percentage.text(all.low)) – \(Percentage.text(all.high))", "\(all.n)",
            Percentage.text(macro.accuracy),
        ]
    }

    private func tasks(_ set: String) -> [String] {
        let prefix = "\(set)/task:"
        let ids = students.flatMap(\.metrics).map(\.id).filter { $0.hasPrefix(prefix) }
        return JSONObject(ids.map { (String($0.dropFirst(prefix.count)), JSON.null) }).keys
    }
}

/// A share as a percentage with one decimal.
enum Percentage {
    static func text(_ share: Double) -> String { FixedPoint.text(share * 100, digits: 1) + " %" }
}

/// A Markdown table with columns padded to equal width, so that it reads well in a terminal too.
struct MarkdownTable {
    let header: [String]
    let rows: [[String]]

    var lines: [String] {
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max()!
        }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + padding : padding + cell.0
            }
            return "| " + padded.joined(separator: " | ") + " |"
        }
        let rule = widths.enumerated().map { column, width in
            column == 0 ? String(repeating: "-", count: width) : String(repeating: "-", count: width - 1) + ":"
        }
        return [line(header), "| " + rule.joined(separator: " | ") + " |"] + rows.map(line)
    }
}
