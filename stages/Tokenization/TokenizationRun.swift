import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import StudentJobs
import Tokenization

/// What the tokenization stages do alike: encode each record, leave out what is too long, write the shard.
struct TokenizationRun {
    static let parameters = [
        StudentPrompt.parameter, StudentPrompt.formatParameter,
        Parameter(
            "max-length", .positiveInteger, default: 1024,
            "Tokens of prompt and completion above which a record is dropped: nothing is ever cut off."),
    ]

    static let tokenizer = InputPort("tokenizer", .tokenizer, distribution: .whole, "A tokenizer directory.")
    static let output = OutputPort("tokens", .tokens, layout: .tensors, "Ids, ready for training.")

    let prompt: StudentPrompt
    private let maxLength: Int

    init(_ parameters: StageParameters) throws {
        prompt = try StudentPrompt(parameters)
        maxLength = parameters.integer("max-length")
    }

    /// Encodes the records behind a role and writes the output `tokens`.
    func run<Text: Record>(
        _ context: any ActionContext, over role: String,
        encode: (Text, StudentTokenizer, PromptEncoder) throws -> TokenRecord
    ) throws -> Accounting {
        let texts = try context.records(role, as: Text.self)
        let directory = try context.directory(Self.tokenizer.name)
        let tokenizer = try StudentTokenizer(directory: directory)
        let encoder = try PromptEncoder(prompt, tokenizer, directory: directory)
        var accounting = Accounting(recordsIn: texts.count)
        var records: [TokenRecord] = []
        for text in texts {
            let record = try encode(text, tokenizer, encoder)
            if record.prompt.count + record.completion.count > maxLength {
                accounting.drop("too-long")
            } else {
                records.append(record)
            }
        }
        accounting.recordsOut = records.count
        try context.write(tensors: TokenShard.encode(records), records: records.count, to: Self.output.name)
        return accounting
    }
}
