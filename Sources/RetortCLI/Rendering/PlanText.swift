import ContentStore
import StageGraph

/// A plan in words.
struct PlanText {
    let plan: Plan

    init(_ plan: Plan) { self.plan = plan }

    /// Actions of one stage that are listed one by one.
    private static let listed = 8

    var text: String {
        var lines: [String] = []
        for stage in plan.stages {
            if let problem = stage.problem {
                lines.append("\(stage.name): cannot run: \(problem)")
                continue
            }
            var parts: [String] = []
            if !stage.toRun.isEmpty { parts.append("\(stage.toRun.count) to run") }
            if stage.cached > 0 { parts.append("\(stage.cached) cached") }
            if !stage.decidedAfter.isEmpty {
                parts.append(
                    (parts.isEmpty ? "" : "the rest ") + "decided after \(stage.decidedAfter.joined(separator: ", "))")
            }
            if parts.isEmpty { parts.append("nothing to do") }
            lines.append("\(stage.name): \(parts.joined(separator: ", "))")
            for action in stage.toRun.prefix(PlanText.listed) {
                let shard = action.prefix.length > 0 ? "shard \(action.prefix): " : ""
                lines.append("    \(shard)\(action.reasons.map(\.description).joined(separator: "; "))")
            }
            if stage.toRun.count > PlanText.listed {
                lines.append("    and \(stage.toRun.count - PlanText.listed) more")
            }
        }
        let count = plan.stages.reduce(0) { $0 + $1.toRun.count }
        let open = plan.stages.contains { !$0.decidedAfter.isEmpty }
        lines.append("")
        lines.append(
            count == 0 && !open
                ? "\(plan.pipeline) is up to date"
                : "\(plan.pipeline): \(count) actions to run" + (open ? ", and more once those are done" : ""))
        return lines.joined(separator: "\n")
    }
}
