import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// What a student learns from dual chains of thought by SFT: the baselines of EDIT's table that see both sides.
///
/// - `marked`: the right chain of thought as it is, the wrong one after a question marked "[Counterfactual Reasoning]"
///   (EDIT §4, the ablation "dual CoTs").
/// - `scott`: SCOTT (Wang et al. 2023, §3.2 and 3.3). Factual: a marked question, its reasoning and answer.
///   Counterfactual: a question with another marker and the wrong reasoning given, of which only the answer that follows
///   from it is learnt, so that the student's answers stay consistent with its reasoning.
struct DualRecipe: Stage {
    static let signature = StageSignature(
        "dual-recipe", version: 1, .reduce, "Makes training examples of both sides of dual chains of thought.",
        parameters: [
            Parameter(
                "recipe", .choice(Kind.allCases.map(\.rawValue)), default: "marked",
                "marked: wrong sides after a marked question. scott: right sides, and answers to given wrong reasoning."
            ),
            Parameter(
                "counterfactual-marker", .string, default: "[Counterfactual Reasoning] ",
                "Before the question of a wrong side."),
            Parameter("factual-marker", .string, default: "", "Before the question of a right side."),
        ] + Parameter.sharding,
        inputs: [
            InputPort("duals", .dualPairs, distribution: .whole, "Pairs of right and wrong chains of thought."),
            InputPort(
                "cots", .cots, distribution: .whole, arity: .optional,
                "Right chains of thought to learn in place of the right sides of the pairs."),
        ],
        outputs: [OutputPort("examples", .examples, "What to learn, for example-tokenization.")])

    enum Kind: String, CaseIterable {
        case marked
        case scott
    }

    private let kind: Kind
    private let counterfactualMarker: String
    private let factualMarker: String
    private let limit: ShardLimit

    init(_ parameters: StageParameters) throws {
        kind = Kind(rawValue: parameters.string("recipe"))!
        counterfactualMarker = parameters.string("counterfactual-marker")
        factualMarker = parameters.string("factual-marker")
        limit = parameters.shardLimit
        if counterfactualMarker.utf8.elementsEqual(factualMarker.utf8) {
            throw InvalidParameters(
                "counterfactual-marker and factual-marker are the same, so right and wrong could not be told apart",
                parameter: "counterfactual-marker")
        }
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let duals = try context.records("duals", as: DualPair.self)
        let hasCoTs = !context.roles(of: "cots").isEmpty
        let cots = try context.records(ofPort: "cots", as: ChainOfThought.self)
        var accounting = Accounting(recordsIn: duals.count + cots.count)
        var examples: [TrainingExample] = []
        for dual in duals {
            guard let wrong = counterfactual(dual) else {
                accounting.drop("no-reasoning")
                continue
            }
            accounting.recordsOut += 1
            examples.append(wrong)
            if !hasCoTs { examples.append(factual(dual.id, dual.task, dual.question, dual.correctCoT)) }
        }
        for cot in cots {
            guard cot.correct, cot.hintLeaked != true else {
                accounting.drop(cot.correct ? "hint-leaked" : "wrong")
                continue
            }
            accounting.recordsOut += 1
            examples.append(factual(cot.id, cot.task, cot.question, cot.cot))
        }
        try context.write(examples, to: "examples", limit: limit)
        return accounting
    }

    private func factual(_ id: String, _ task: String, _ question: String, _ cot: String) -> TrainingExample {
        TrainingExample(id: "\(id)#right", task: task, question: factualMarker + question, completion: cot)
    }

    /// Nil where SCOTT needs a reasoning and the wrong side has none.
    private func counterfactual(_ dual: DualPair) -> TrainingExample? {
        let question = counterfactualMarker + dual.question
        switch kind {
        case .marked:
            return TrainingExample(
                id: "\(dual.id)#wrong", task: dual.task, question: question, completion: dual.wrongCoT)
        case .scott:
            guard let rationale = Rationale(of: dual.wrongCoT), !rationale.reasoning.isEmpty else { return nil }
            return TrainingExample(
                id: "\(dual.id)#wrong", task: dual.task, question: question, given: rationale.reasoning,
                completion: rationale.conclusion)
        }
    }
}
