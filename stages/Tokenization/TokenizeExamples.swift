import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import StudentJobs
import Tokenization

/// Prompt and completion ids of training examples. The prompt and what is given of the answer are masked out of the
/// loss.
struct TokenizeExamples: Stage {
    static let signature = StageSignature(
        "example-tokenization", version: 2, .map, "Turns training examples into token ids.",
        parameters: [StudentPrompt.parameter, StudentPrompt.formatParameter, Tokenize.maxLength],
        inputs: [
            InputPort("examples", .examples, "What to tokenize."),
            InputPort("tokenizer", .tokenizer, distribution: .whole, "A tokenizer directory."),
        ],
        outputs: [OutputPort("tokens", .tokens, layout: .tensors, "Ids, ready for training.")])

    private let prompt: StudentPrompt
    private let maxLength: Int

    init(_ parameters: StageParameters) throws {
        prompt = try StudentPrompt(parameters)
        maxLength = parameters.integer("max-length")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let examples = try context.records("examples", as: TrainingExample.self)
        let directory = try context.directory("tokenizer")
        let tokenizer = try StudentTokenizer(directory: directory)
        let encoder = try PromptEncoder(prompt, tokenizer, directory: directory)
        var accounting = Accounting(recordsIn: examples.count)
        var records: [TokenRecord] = []
        for example in examples {
            let record = TokenRecord(
                id: example.id, task: example.task,
                prompt: try encoder.ids(for: example.question)
                    + (example.given.map { tokenizer.tokenizer.encode(prompt.completion(for: $0)) } ?? []),
                completion: tokenizer.completion(
                    prompt.completion(for: example.completion, isGivenMore: example.given != nil)),
                weight: example.weight)
            if record.prompt.count + record.completion.count > maxLength {
                accounting.drop("too-long")
            } else {
                records.append(record)
            }
        }
        accounting.recordsOut = records.count
        try context.write(tensors: TokenShard.encode(records), records: records.count, to: "tokens")
        return accounting
    }
}
