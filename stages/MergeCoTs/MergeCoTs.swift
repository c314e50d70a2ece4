import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// The training data of the SFT phase: D⁺_merge = D⁺ ∪ D⁻⁺ (EDIT §3.1).
struct MergeCoTs: Stage {
    static let signature = StageSignature(
        "merge-cots", version: 1, .map, "Joins chains of thought, keeping those with the right conclusion.",
        inputs: [InputPort("cots", .cots, arity: .list, "Sampled and rectified chains of thought.")],
        outputs: [OutputPort("cots", .cots, "One right chain of thought a question.")])

    init(_ parameters: StageParameters) {}

    func run(_ context: any ActionContext) throws -> Accounting {
        let all = try context.records(ofPort: "cots", as: ChainOfThought.self)
        var accounting = Accounting(recordsIn: all.count)
        var seen: Set<[UInt8]> = []
        var kept: [ChainOfThought] = []
        for cot in all {
            if !cot.correct {
                accounting.drop(cot.origin == .rectified ? "not-rectified" : "wrong")
            } else if cot.hintLeaked == true {
                accounting.drop("hint-leaked")
            } else if !seen.insert(Array(cot.id.utf8)).inserted {
                accounting.drop("duplicate")
            } else {
                kept.append(cot)
            }
        }
        accounting.recordsOut = kept.count
        try context.write(kept, to: "cots")
        return accounting
    }
}
