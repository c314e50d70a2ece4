import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// Picks demonstrations for the contrastive prompt (CCP) from questions that have both a rectified and a wrong chain of
/// thought: the right and the wrong response of an example (EDIT §3.1).
///
/// Within each task the smallest seeded hashes win, so an edit elsewhere rarely changes the choice, and while the
/// choice stays the same the stages behind it do not run again.
struct Demonstrations: Stage {
    static let signature = StageSignature(
        "demonstrations", version: 1, .reduce, "Chooses pairs of right and wrong responses to show a teacher.",
        parameters: [
            Parameter("per-task", .positiveInteger, default: 3, "Demonstrations of each task, at most."),
            Parameter("seed", .anyInteger, default: 0, "Another seed gives another choice."),
        ],
        inputs: [
            InputPort("wrong", .cots, "D⁻."),
            InputPort("rectified", .cots, "D⁻⁺."),
        ],
        outputs: [OutputPort("demonstrations", .demonstrations, "The examples.")])

    private let perTask: Int
    private let seed: Int

    init(_ parameters: StageParameters) {
        perTask = parameters.integer("per-task")
        seed = parameters.integer("seed")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let wrong = try context.records("wrong", as: ChainOfThought.self)
        let rectified = Dictionary(
            try context.records("rectified", as: ChainOfThought.self).map { (Array($0.id.utf8), $0) },
            uniquingKeysWith: { first, _ in first })
        var accounting = Accounting(recordsIn: wrong.count)
        var candidates: [String: [(place: Digest, demonstration: Demonstration)]] = [:]
        let order = SeededOrder(purpose: "demonstrations", seed: seed)
        for sample in wrong {
            guard sample.predicted != nil else {
                accounting.drop("unparsed-answer")
                continue
            }
            guard let right = rectified[Array(sample.id.utf8)], right.correct, right.hintLeaked != true else {
                accounting.drop("not-rectified")
                continue
            }
            let demonstration = Demonstration(
                id: sample.id, task: sample.task, question: sample.question, rightResponse: right.cot,
                wrongResponse: sample.cot)
            candidates[sample.task, default: []].append((order.place(of: sample.id, in: sample.task), demonstration))
        }
        var chosen: [Demonstration] = []
        for (_, group) in candidates {
            let best = group.sorted { $0.place < $1.place }.prefix(perTask)
            chosen += best.map(\.demonstration)
            accounting.drop("not-chosen", count: group.count - best.count)
        }
        accounting.recordsOut = chosen.count
        try context.write(chosen, to: "demonstrations")
        return accounting
    }
}
