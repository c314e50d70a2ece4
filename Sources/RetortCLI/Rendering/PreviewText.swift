import Stages
import Teachers

/// The teacher calls of a plan, in lines; none when no calls are to be made.
enum PreviewText {
    static func lines(_ preview: CallPreview) -> [String] {
        let stages = preview.stages.filter { $0.calls + $0.answered > 0 }
        return stages.map(line) + (stages.isEmpty ? [] : [""])
    }

    private static func line(_ stage: CallPreview.Stage) -> String {
        guard stage.calls > 0 else {
            return "\(stage.name): no teacher calls, \(stage.answered) answered by the ledger"
        }
        let cost = stage.cost.map { ", about \(dollars($0))" } ?? ""
        let tokens = "about \(stage.promptTokens) + \(stage.completionTokens) tokens\(cost)"
        return stage.isExact
            ? "\(stage.name): \(stage.calls) teacher calls, \(stage.answered) answered by the ledger; \(tokens)"
            : "\(stage.name): at most \(stage.calls) teacher calls (estimate; it depends on the answers before); \(tokens)"
    }
}
