import CanonicalJSON
import ContentStore
import Reasoning
import StageGraph
import Tokenization

/// Trains a byte-level BPE tokenizer on questions and chains of thought, and writes it as Hugging Face files.
struct TokenizerTraining: Stage {
    static let signature = StageSignature(
        "tokenizer-training", version: 1, .reduce, "Trains a byte-level BPE tokenizer.",
        parameters: [
            Parameter("vocabulary-size", .integer(260...1 << 20), default: 1024, "Tokens, special ones included."),
            StudentPrompt.parameter,
        ],
        inputs: [
            InputPort("cots", .cots, distribution: .whole, arity: .list, "The text to learn from."),
            InputPort(
                "tokenizer", .tokenizer, distribution: .whole, arity: .optional,
                "A tokenizer to take as it is, such as that of an imported checkpoint, where it holds one."),
        ],
        outputs: [
            OutputPort(
                "tokenizer", .tokenizer, layout: .tree, "tokenizer.json and tokenizer_config.json.")
        ])

    /// Marks the end of a completion, and pads.
    private static let endToken = "<|endoftext|>"

    private let vocabularySize: Int
    private let prompt: StudentPrompt

    init(_ parameters: StageParameters) throws {
        vocabularySize = parameters.integer("vocabulary-size")
        prompt = try StudentPrompt(parameters)
    }

    func run(_ context: any ActionContext) throws -> Accounting {
        let cots = try context.records(ofPort: "cots", as: ChainOfThought.self)
        if let role = context.roles(of: "tokenizer").first {
            let given = try context.directory(role)
            if FileBytes.exists("\(given)/tokenizer.json") {
                try context.write(directory: given, to: "tokenizer")
                return Accounting(recordsIn: cots.count, recordsOut: cots.count)
            }
        }
        guard !cots.isEmpty else {
            throw StudentProcessError(
                description: "there is no text to train a tokenizer on: every record was dropped before")
        }
        let trainer = BPETrainer(vocabularySize: vocabularySize, specialTokens: [TokenizerTraining.endToken])
        let document = try trainer.train(
            on: cots.lazy.flatMap { [prompt.text(for: $0.question), prompt.completion(for: $0.cot)] })
        let configuration: JSON = [
            "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": .string(TokenizerTraining.endToken),
            "pad_token": .string(TokenizerTraining.endToken), "model_max_length": 1_000_000,
            "clean_up_tokenization_spaces": false,
        ]
        let directory = "\(context.scratchDirectory)/tokenizer"
        try FileBytes.makeDirectory(directory)
        try FileBytes.write(document.canonicalBytes, to: "\(directory)/tokenizer.json")
        try FileBytes.write(configuration.canonicalBytes, to: "\(directory)/tokenizer_config.json")
        try context.write(directory: directory, to: "tokenizer")
        return Accounting(recordsIn: cots.count, recordsOut: cots.count)
    }
}
