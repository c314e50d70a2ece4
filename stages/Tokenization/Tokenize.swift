import Reasoning
import StageGraph
import StudentJobs

/// Prompt and completion ids of chains of thought. Prompts are masked out of the loss, since they stand apart.
struct Tokenize: Stage {
    static let signature = StageSignature(
        "tokenization", version: 2, .map, "Turns chains of thought into token ids.",
        parameters: TokenizationRun.parameters,
        inputs: [InputPort("cots", .cots, "What to tokenize."), TokenizationRun.tokenizer],
        outputs: [TokenizationRun.output])

    private let tokenization: TokenizationRun

    init(_ parameters: StageParameters) throws { tokenization = try TokenizationRun(parameters) }

    func run(_ context: any ActionContext) throws -> Accounting {
        try tokenization.run(context, over: "cots") { (cot: ChainOfThought, tokenizer, encoder) in
            TokenRecord(
                id: cot.id, task: cot.task, prompt: try encoder.ids(for: cot.question),
                completion: tokenizer.completion(tokenization.prompt.completion(for: cot.cot)))
        }
    }
}
