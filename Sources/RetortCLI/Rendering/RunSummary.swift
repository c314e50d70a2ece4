import CanonicalJSON
import ContentStore
import Scheduling
import StageGraph
import Stages

/// The end of a run: the summary object of `--format json`, or a table and the reports.
struct RunSummary {
    let report: RunReport

    init(_ report: RunReport) { self.report = report }

    var json: JSON {
        [
            "event": "summary", "pipeline": .string(report.pipeline), "status": .string(report.status.rawValue),
            "seconds": .number(milliseconds(report.seconds)), "stages": .array(report.stages.map(stage)),
        ]
    }

    private func stage(_ stage: StageReport) -> JSON {
        [
            "stage": .string(stage.name), "actions": .integer(Int64(stage.actions)),
            "executed": .integer(Int64(stage.executed)), "cached": .integer(Int64(stage.cached)),
            "records_in": .integer(Int64(stage.accounting.recordsIn)),
            "records_out": .integer(Int64(stage.accounting.recordsOut)),
            "dropped": .object(JSONObject(stage.accounting.dropped.map { ($0.key, .integer(Int64($0.value))) })),
            "teacher_calls": .integer(Int64(stage.accounting.costs[TeacherCost.calls] ?? 0)),
            "teacher_calls_saved": .integer(Int64(stage.accounting.costs[TeacherCost.saved] ?? 0)),
            "seconds": .number(milliseconds(stage.seconds)),
        ]
    }

    private func milliseconds(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }

    /// The table of stages, then the reports the pipeline ends in.
    func text(store: LocalStore, pipeline: Pipeline) throws -> String {
        var lines = table
        for stage in report.stages {
            for (_, artifact) in stage.outputs.sorted(by: { $0.key < $1.key }) {
                guard let text = try ReportText.markdown(of: artifact, store: store) else { continue }
                lines += ["", text]
            }
        }
        let executed = report.executed
        let cached = report.stages.reduce(0) { $0 + $1.cached }
        lines += ["", "\(headline): \(executed) actions executed, \(cached) cached, \(Seconds.text(report.seconds))"]
        return lines.joined(separator: "\n")
    }

    private var headline: String {
        switch report.status {
        case .ok: "\(report.pipeline) is up to date"
        case .failed: "\(report.pipeline) failed; what was finished is kept, and the next run goes on from there"
        case .interrupted: "\(report.pipeline) was interrupted; the next run goes on from there"
        }
    }

    private var table: [String] {
        let rows = report.stages.map { stage in
            [
                stage.name, "\(stage.executed)", "\(stage.cached)", "\(stage.accounting.recordsIn)",
                "\(stage.accounting.recordsOut)",
                stage.accounting.dropped.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                    .joined(separator: ", "),
                stage.status == .pending
                    ? "not reached" : stage.status == .failed ? "failed" : Seconds.text(stage.seconds),
            ]
        }
        return AlignedColumns(
            header: ["stage", "executed", "cached", "in", "out", "dropped", "time"], rows: rows,
            leftAligned: [0, 5]
        ).lines
    }
}

/// Columns of text padded to equal width.
struct AlignedColumns {
    let header: [String]
    let rows: [[String]]
    let leftAligned: Set<Int>

    var lines: [String] {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max()! }
        return ([header] + rows).map { cells in
            var line = ""
            for (column, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += (column > 0 ? "  " : "") + (leftAligned.contains(column) ? cell + padding : padding + cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
