import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph

/// What a student learns from right chains of thought: the baselines of EDIT's table that train on D⁺.
///
/// - `std-cot`: the question, then the chain of thought (Ho et al. 2023, Magister et al. 2023; EDIT Eq. 4).
/// - `answer-only`: the question, then the conclusion alone, without reasoning.
/// - `multi-task`: MT-CoT (Li et al. 2022, "Explanations from Large Language Models Make Small Reasoners Better", §3):
///   each question is two examples, one to answer at once and one to reason and answer.
/// - `step-by-step`: Distilling step-by-step (Hsieh et al. 2023, §3.2, Eq. 4): the label and the rationale are two
///   tasks told apart by a prefix, L = L_label + λ L_rationale; the rationale comes without the conclusion.
///
/// The two-task recipes weigh their rationale examples by `rationale-weight` (λ), which means what the papers mean in
/// SFT with `normalization: per-sample`. To let a student of theirs answer, put the same marker into the prompt of the
/// generation stage.
struct CoTRecipe: Stage {
    static let signature = StageSignature(
        "cot-recipe", version: 1, .reduce, "Makes training examples of right chains of thought, as a baseline does.",
        parameters: [
            Parameter(
                "recipe", .choice(Kind.allCases.map(\.rawValue)), default: "std-cot",
                "std-cot: reasoning and answer. answer-only. multi-task (MT-CoT): the answer, and reasoning with answer. "
                    + "step-by-step: the answer, and the reasoning alone."),
            Parameter("answer-marker", .string, default: "[label] ", "Before a question to be answered at once."),
            Parameter("rationale-marker", .string, default: "[rationale] ", "Before a question to be reasoned about."),
            Parameter(
                "rationale-weight", .positiveNumber, default: 1,
                "What a rationale counts beside an answer in the recipes of two tasks."),
        ] + Parameter.sharding,
        inputs: [
            InputPort(
                "cots", .cots, distribution: .whole, arity: .list, "Chains of thought; wrong ones are left out.")
        ],
        outputs: [OutputPort("examples", .examples, "What to learn, for example-tokenization.")])

    enum Kind: String, CaseIterable {
        case stdCoT = "std-cot"
        case answerOnly = "answer-only"
        case multiTask = "multi-task"
        case stepByStep = "step-by-step"
    }

    private let kind: Kind
    private let answerMarker: String
    private let rationaleMarker: String
    private let rationaleWeight: Double
    private let limit: ShardLimit

    init(_ parameters: StageParameters) throws {
        kind = Kind(rawValue: parameters.string("recipe"))!
        answerMarker = parameters.string("answer-marker")
        rationaleMarker = parameters.string("rationale-marker")
        rationaleWeight = parameters.double("rationale-weight")
        limit = parameters.shardLimit
        let hasTwoTasks = kind == .multiTask || kind == .stepByStep
        if hasTwoTasks, answerMarker.utf8.elementsEqual(rationaleMarker.utf8) {
            throw InvalidParameters(
                "answer-marker and rationale-marker are the same, so a student could not tell its tasks apart",
                parameter: "rationale-marker")
        }
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        var accounting = Accounting()
        var examples: [TrainingExample] = []
        var seen: Set<[UInt8]> = []
        for cot in try context.records(ofPort: "cots", as: ChainOfThought.self) {
            accounting.recordsIn += 1
            switch self.examples(of: cot) {
            case .failure(let drop): accounting.drop(drop.rawValue)
            case .success(let made):
                guard seen.insert(Array(cot.id.utf8)).inserted else {
                    accounting.drop("duplicate")
                    continue
                }
                accounting.recordsOut += 1
                examples += made
            }
        }
        try context.write(examples, to: "examples", limit: limit)
        return accounting
    }

    enum Drop: String, Error {
        case wrong
        case hintLeaked = "hint-leaked"
        /// A step-by-step rationale that is nothing but its conclusion.
        case noReasoning = "no-reasoning"
    }

    /// The examples that one chain of thought gives.
    func examples(of cot: ChainOfThought) -> Result<[TrainingExample], Drop> {
        guard cot.correct else { return .failure(.wrong) }
        guard cot.hintLeaked != true else { return .failure(.hintLeaked) }
        func example(_ part: String?, _ marker: String, _ completion: String, weight: Double? = nil) -> TrainingExample
        {
            TrainingExample(
                id: part.map { "\(cot.id)#\($0)" } ?? cot.id, task: cot.task, question: marker + cot.question,
                completion: completion, weight: weight == 1 ? nil : weight)
        }
        let conclusion = StatedAnswer.text(cot.answer)
        switch kind {
        case .stdCoT: return .success([example(nil, "", cot.cot)])
        case .answerOnly: return .success([example(nil, "", conclusion)])
        case .multiTask:
            return .success([
                example("answer", answerMarker, conclusion),
                example("rationale", rationaleMarker, cot.cot, weight: rationaleWeight),
            ])
        case .stepByStep:
            guard let rationale = Rationale(of: cot.cot), !rationale.reasoning.isEmpty else {
                return .failure(.noReasoning)
            }
            return .success([
                example("answer", answerMarker, conclusion),
                example("rationale", rationaleMarker, rationale.reasoning, weight: rationaleWeight),
            ])
        }
    }
}

/// How answers are stated: as the extraction prompt asks teachers to, so that one verifier reads them all.
enum StatedAnswer {
    static func text(_ answer: String) -> String { "Therefore, the answer is \(answer)." }
}
