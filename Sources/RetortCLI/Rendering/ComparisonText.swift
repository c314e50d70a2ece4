import CanonicalJSON
import Reasoning
import Stages

/// A comparison of answers as a table, or as one JSON object.
enum ComparisonText {
    static func lines(_ comparison: AnswerComparison, byTask: Bool, lists: Bool) -> [String] {
        let first = comparison.first.name
        let rows = comparison.rows.flatMap { row in
            [cells(row.name, row.comparison)] + (byTask ? row.tasks.map { cells("  \($0.name)", $0.comparison) } : [])
        }
        var lines = ["Against \(first), on the questions that both answered:", ""]
        lines +=
            AlignedColumns(
                header: [
                    "", "n", first, "it", "difference", "95 % interval", "only \(first) right", "only it right",
                    "McNemar p",
                ],
                rows: rows, leftAligned: [0]
            ).lines
        for row in comparison.rows where row.leftOut > 0 {
            lines += ["", "\(row.leftOut) questions that only one of \(first) and \(row.name) answered are left out."]
        }
        guard lists else { return lines }
        for row in comparison.rows {
            lines += row.gained.map { "+ \(row.name) \($0)" } + row.lost.map { "- \(row.name) \($0)" }
        }
        return lines
    }

    private static func cells(_ name: String, _ row: PairedComparison) -> [String] {
        guard row.count > 0 else { return [name, "0", "", "", "", "", "", "", ""] }
        let n = Double(row.count)
        return [
            name, "\(row.count)", share(Double(row.first) / n), share(Double(row.second) / n),
            "\(points(row.difference)) points",
            "\(points(row.interval.lowerBound)) to \(points(row.interval.upperBound))",
            "\(row.onlyFirst)", "\(row.onlySecond)",
            row.pValue < 0.001 ? "< 0.001" : FixedPoint.text(row.pValue, digits: 3),
        ]
    }

    private static func share(_ share: Double) -> String { "\(FixedPoint.text(share * 100, digits: 1)) %" }

    private static func points(_ difference: Double) -> String {
        let text = FixedPoint.text(difference * 100, digits: 1)
        return text.hasPrefix("-") ? text : "+\(text)"
    }
}

extension AnswerComparison {
    var json: JSON {
        [
            "event": "comparison", "first": .string(first.name),
            "rows": .array(
                rows.map { row in
                    var object = ComparisonText.json(row.comparison)
                    object["output"] = .string(row.name)
                    object["left_out"] = .integer(Int64(row.leftOut))
                    object["gained"] = .array(row.gained.map { .string($0) })
                    object["lost"] = .array(row.lost.map { .string($0) })
                    object["tasks"] = .object(
                        JSONObject(row.tasks.map { ($0.name, .object(ComparisonText.json($0.comparison))) }))
                    return .object(object)
                }),
        ]
    }
}

extension ComparisonText {
    fileprivate static func json(_ row: PairedComparison) -> JSONObject {
        JSONObject([
            ("n", .integer(Int64(row.count))), ("both_right", .integer(Int64(row.bothRight))),
            ("only_first", .integer(Int64(row.onlyFirst))), ("only_second", .integer(Int64(row.onlySecond))),
            ("both_wrong", .integer(Int64(row.bothWrong))), ("difference", .number(row.difference)),
            ("low", .number(row.interval.lowerBound)), ("high", .number(row.interval.upperBound)),
            ("p_value", .number(row.pValue)),
        ])
    }
}
