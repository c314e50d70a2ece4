import Teachers

/// What there is to say about a ledger, in lines.
enum LedgerText {
    static func lines(_ statistics: LedgerStatistics) -> [String] {
        let groups: [(String, [LedgerStatistics.Group])] = [
            ("model", statistics.byModel), ("stage", statistics.byStage), ("day", statistics.byDay),
            ("finish reason", statistics.byFinishReason),
        ]
        var rows: [[String]] = []
        for (kind, members) in groups {
            rows += members.map { row("\(kind) \($0.name)", $0.totals) }
        }
        rows.append(row("all", statistics.total))
        var lines =
            AlignedColumns(
                header: ["", "calls", "prompt tokens", "completion tokens", "cost", "without price"], rows: rows,
                leftAligned: [0]
            ).lines
        if statistics.openBatches > 0 {
            lines.append("\(statistics.openBatches) batches are under way; the next run looks for their answers")
        }
        return lines
    }

    private static func row(_ name: String, _ totals: LedgerStatistics.Totals) -> [String] {
        [
            name, "\(totals.calls)", "\(totals.promptTokens)", "\(totals.completionTokens)",
            totals.unpriced == totals.calls ? "" : dollars(totals.cost), "\(totals.unpriced)",
        ]
    }
}
