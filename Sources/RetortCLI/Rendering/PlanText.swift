import ContentStore
import StageGraph

/// A plan in words.
struct PlanText {
    let plan: Plan

    init(_ plan: Plan) { self.plan = plan }

    /// Different reasons of one stage that are listed.
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
                    (parts.isEmpty ? "" : "the rest ")
                        + "decided after stage \(stage.decidedAfter.joined(separator: ", "))")
            }
            if parts.isEmpty { parts.append("nothing to do") }
            lines.append("\(stage.name): \(parts.joined(separator: ", "))")
            lines += reasons(stage.toRun)
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

    /// A line for each set of reasons, and whose they are.
    private func reasons(_ actions: [Plan.PlannedAction]) -> [String] {
        var order: [String] = []
        var shards: [String: [ShardPrefix]] = [:]
        for action in actions {
            let why = action.reasons.map(\.description).joined(separator: "; ")
            if shards[why] == nil { order.append(why) }
            shards[why, default: []].append(action.prefix)
        }
        let lines = order.prefix(PlanText.listed).map { why in
            let prefixes = shards[why]!
            if prefixes.count > 1 { return "    \(prefixes.count) shards: \(why)" }
            return "    \(prefixes[0].length > 0 ? "shard \(prefixes[0]): " : "")\(why)"
        }
        let rest = order.dropFirst(PlanText.listed).reduce(0) { $0 + shards[$1]!.count }
        return lines + (rest > 0 ? ["    and \(rest) more"] : [])
    }
}
