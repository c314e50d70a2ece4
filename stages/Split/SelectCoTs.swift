import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// The chains of thought on a set of questions, such as those of the training split.
struct SelectCoTs: Stage {
    static let signature = StageSignature(
        "select-cots", version: 1, .map, "Keeps the chains of thought on given questions.",
        inputs: [
            InputPort("cots", .cots, "What to choose from."),
            InputPort("questions", .questions, "The questions to keep, by id."),
        ],
        outputs: [OutputPort("cots", .cots, "The chains of thought on them.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let cots = try context.records("cots", as: ChainOfThought.self)
        let wanted = Set(try context.records("questions", as: Question.self).map { Array($0.id.utf8) })
        let kept = cots.filter { wanted.contains(Array($0.id.utf8)) }
        try context.write(kept, to: "cots")
        return Accounting(
            recordsIn: cots.count, recordsOut: kept.count, dropped: ["other-question": cots.count - kept.count])
    }
}
