import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Right chains of thought of several samplings as one set: the baseline that gives Std-CoT as much data as EDIT has
/// (EDIT §4, "repeat sampling to equal size").
struct RepeatedSamples: Stage {
    static let signature = StageSignature(
        "repeated-samples", version: 1, .reduce, "Joins samplings of the same questions up to a number.",
        parameters: [
            Parameter(
                "count", .positiveInteger, default: .null,
                "Chains of thought to end with; by default twice the pairs of the input match, or all."),
            Parameter("seed", .anyInteger, default: 0, "Another seed leaves out others."),
        ] + Parameter.sharding,
        inputs: [
            InputPort(
                "cots", .cots, distribution: .whole, arity: .list,
                "Samplings; all of the first, then as many of the others as are wanted."),
            InputPort(
                "match", .dualPairs, distribution: .whole, arity: .optional,
                "Dual pairs: the result has as many chains of thought as they hold."),
        ],
        outputs: [
            OutputPort(
                "cots", .cots, "Right chains of thought; the ids of repeated ones end in # and their sampling's number."
            )
        ])

    private let count: Int?
    private let order: SeededOrder
    private let limit: ShardLimit

    init(_ parameters: StageParameters) {
        count = parameters.optionalInteger("count")
        order = SeededOrder(purpose: "repeated-samples", seed: parameters.integer("seed"))
        limit = parameters.shardLimit
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let pairs = try context.roles(of: "match").reduce(0) { $0 + context.recordCount($1) }
        let wanted = count ?? (context.roles(of: "match").isEmpty ? nil : 2 * pairs)
        var accounting = Accounting()
        var kept: [ChainOfThought] = []
        var rest: [ChainOfThought] = []
        for (index, role) in context.roles(of: "cots").enumerated() {
            for var cot in try context.records(role, as: ChainOfThought.self) {
                accounting.recordsIn += 1
                guard cot.correct else {
                    accounting.drop("wrong")
                    continue
                }
                if index > 0 { cot.id += "#\(index + 1)" }
                if index == 0 { kept.append(cot) } else { rest.append(cot) }
            }
        }
        let ordered = [kept, rest].flatMap { part in
            part.map { (order.place(of: $0.id), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        let chosen = Array(ordered.prefix(wanted ?? ordered.count))
        accounting.drop("beyond-count", count: ordered.count - chosen.count)
        accounting.recordsOut = chosen.count
        try context.write(chosen, to: "cots", limit: limit)
        return accounting
    }
}
