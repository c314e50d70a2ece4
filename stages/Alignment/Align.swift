import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import StudentJobs
import Tokenization

/// Finds the key reasoning steps of pairs (EDIT Eq. 5): one edit script a pair over the tokens of the two completions,
/// and from it a mask for each side.
struct Align: Stage {
    static let signature = StageSignature(
        "alignment", version: 3, .map, "Aligns pairs token by token and marks the key tokens of both sides.",
        parameters: [
            StudentPrompt.parameter, StudentPrompt.formatParameter,
            Parameter(
                "mode", .choice(TokenAlignment.Mode.allCases.map(\.rawValue)), default: "minimal",
                "minimal: one script of least distance with the fewest runs. reference: the masks of the published code."
            ),
            Parameter(
                "granularity", .choice(Granularity.allCases.map(\.rawValue)), default: "tokens",
                "What the script inserts, deletes and replaces: tokens, words, or steps (sentences and lines)."),
            Parameter(
                "widen", .boolean, default: false,
                "Where an edit cuts a word in two, all tokens of the word become key tokens; only in mode minimal."),
            Parameter(
                "max-length", .positiveInteger, default: 1024,
                "Tokens of prompt and longer completion above which a pair is dropped."),
        ],
        inputs: [
            InputPort("duals", .dualPairs, "Pairs of right and wrong chains of thought."),
            TokenizationRun.tokenizer,
        ],
        outputs: [
            OutputPort("pairs", .tokenPairs, layout: .tensors, "Ids and masks, ready for KRSL."),
            OutputPort("alignments", .alignments, "Edits as spans of the texts, for reading."),
        ])

    private let prompt: StudentPrompt
    private let method: AlignmentMethod
    private let maxLength: Int

    init(_ parameters: StageParameters) throws {
        prompt = try StudentPrompt(parameters)
        method = AlignmentMethod(
            mode: TokenAlignment.Mode(rawValue: parameters.string("mode"))!,
            granularity: Granularity(rawValue: parameters.string("granularity"))!,
            widensToWords: parameters.bool("widen"))
        guard method.mode == .minimal || !method.widensToWords else {
            throw InvalidParameters(
                "widen needs mode minimal: the published code has two scripts a pair", parameter: "widen")
        }
        maxLength = parameters.integer("max-length")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let duals = try context.records("duals", as: DualPair.self)
        let directory = try context.directory("tokenizer")
        let tokenizer = try StudentTokenizer(directory: directory)
        let encoder = try PromptEncoder(prompt, tokenizer, directory: directory)
        var accounting = Accounting(recordsIn: duals.count)
        var pairs: [TokenPairRecord] = []
        var alignments: [Reasoning.Alignment] = []
        for dual in duals {
            let question = try encoder.ids(for: dual.question)
            let correct = tokenizer.completion(of: dual.correctCoT, after: prompt)
            let wrong = tokenizer.completion(of: dual.wrongCoT, after: prompt)
            guard question.count + max(correct.ids.count, wrong.ids.count) <= maxLength else {
                accounting.drop("too-long")
                continue
            }
            let alignment = TokenAlignment(correct: correct, wrong: wrong, method: method)
            guard alignment.distance > 0 else {
                accounting.drop("identical")
                continue
            }
            pairs.append(
                TokenPairRecord(
                    id: dual.id, task: dual.task, origin: dual.origin.rawValue, prompt: question,
                    correct: correct.ids, wrong: wrong.ids, correctKeys: alignment.correctMask.map { $0 ? 1 : 0 },
                    wrongKeys: alignment.wrongMask.map { $0 ? 1 : 0 }))
            alignments.append(
                Reasoning.Alignment(pair: dual, alignment: alignment, correct: correct, wrong: wrong))
        }
        accounting.recordsOut = pairs.count
        try context.write(tensors: TokenPairShard.encode(pairs), records: pairs.count, to: "pairs")
        try context.write(alignments, to: "alignments")
        return accounting
    }
}
