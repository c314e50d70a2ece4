import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import StudentJobs
import Tokenization

/// Prompt and completion ids of chains of thought. Prompts are masked out of the loss, since they stand apart.
struct Tokenize: Stage {
    static let signature = StageSignature(
        "tokenization", version: 2, .map, "Turns chains of thought into token ids.",
        parameters: [StudentPrompt.parameter, StudentPrompt.formatParameter, maxLength],
        inputs: [
            InputPort("cots", .cots, "What to tokenize."),
            InputPort("tokenizer", .tokenizer, distribution: .whole, "A tokenizer directory."),
        ],
        outputs: [OutputPort("tokens", .tokens, layout: .tensors, "Ids, ready for training.")])

    static let maxLength = Parameter(
        "max-length", .positiveInteger, default: 1024,
        "Tokens of prompt and completion above which a record is dropped: nothing is ever cut off.")

    private let prompt: StudentPrompt
    private let maxLength: Int

    init(_ parameters: StageParameters) throws {
        prompt = try StudentPrompt(parameters)
        maxLength = parameters.integer("max-length")
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let cots = try context.records("cots", as: ChainOfThought.self)
        let directory = try context.directory("tokenizer")
        let tokenizer = try StudentTokenizer(directory: directory)
        let encoder = try PromptEncoder(prompt, tokenizer, directory: directory)
        var accounting = Accounting(recordsIn: cots.count)
        var records: [TokenRecord] = []
        for cot in cots {
            let record = TokenRecord(
                id: cot.id, task: cot.task, prompt: try encoder.ids(for: cot.question),
                completion: tokenizer.completion(prompt.completion(for: cot.cot)))
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
