import Reasoning
import StageGraph
import StudentJobs
import Tokenization

/// Prompt and completion ids of training examples. The prompt and what is given of the answer are masked out of the
/// loss.
struct TokenizeExamples: Stage {
    static let signature = StageSignature(
        "example-tokenization", version: 2, .map, "Turns training examples into token ids.",
        parameters: TokenizationRun.parameters,
        inputs: [InputPort("examples", .examples, "What to tokenize."), TokenizationRun.tokenizer],
        outputs: [TokenizationRun.output])

    private let tokenization: TokenizationRun

    init(_ parameters: StageParameters) throws { tokenization = try TokenizationRun(parameters) }

    func run(_ context: any ActionContext) throws -> Accounting {
        let prompt = tokenization.prompt
        return try tokenization.run(context, over: "examples") { (example: TrainingExample, tokenizer, encoder) in
            TokenRecord(
                id: example.id, task: example.task,
                prompt: try encoder.ids(for: example.question)
                    + (example.given.map { tokenizer.tokenizer.encode(prompt.completion(for: $0)) } ?? []),
                completion: tokenizer.completion(
                    prompt.completion(for: example.completion, isGivenMore: example.given != nil)),
                weight: example.weight)
        }
    }
}
