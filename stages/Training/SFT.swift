import CanonicalJSON
import ContentStore
import StageGraph
import StudentJobs

/// Supervised fine-tuning on right chains of thought (EDIT Eq. 4), from random weights or from a checkpoint.
struct SFT: Stage {
    static let signature = StageSignature(
        "sft", version: 2, .reduce, "Trains a student to write the chains of thought.",
        parameters: [
            Parameter(
                "model",
                .object([
                    Parameter("hidden-size", .positiveInteger, default: 128, "Width of the residual stream."),
                    Parameter("layers", .positiveInteger, default: 4, "Transformer blocks."),
                    Parameter("heads", .positiveInteger, default: 4, "Attention heads."),
                    Parameter(
                        "key-value-heads", .positiveInteger, default: 2, "Heads of keys and values, shared by groups."),
                    Parameter("intermediate-size", .positiveInteger, default: 352, "Width of the feed-forward part."),
                    Parameter(
                        "max-positions", .positiveInteger, default: 1024, "Longest prompt with completion, in tokens."),
                    Parameter("tie-embeddings", .boolean, default: true, "Whether input and output embedding are one."),
                ]), default: [:], "The LLaMA architecture to initialise at random; not used with a checkpoint."),
            Parameter(
                "normalization", .choice(["per-token", "per-sample"]), default: "per-token",
                "per-token: every completion token of a batch counts alike. per-sample: every sample does, by its weight."
            ),
        ] + TrainingSettings.parameters(learningRate: 2e-3, epochs: 3, schedule: "cosine"),
        inputs: [
            InputPort("tokens", .tokens, distribution: .whole, "Tokenized chains of thought."),
            InputPort(
                "tokenizer", .tokenizer, distribution: .whole, "Their tokenizer; it becomes part of the checkpoint."),
            InputPort(
                "checkpoint", .checkpoint, distribution: .whole, arity: .optional,
                "Where to start instead of random weights; a config.json without weights is a shape to initialise."),
            EpochSelection.input,
        ],
        outputs: [
            OutputPort("checkpoint", .checkpoint, layout: .tree, "The student."),
            TrainingRun.log,
        ],
        programs: [StudentProcess.program])

    private let settings: TrainingSettings
    private let objective: Objective
    private let model: JSONObject

    var resources: Resources { settings.resources }

    init(_ parameters: StageParameters) throws {
        settings = try TrainingSettings(parameters)
        objective = parameters.string("normalization") == "per-sample" ? .sftPerSample : .sft
        model = parameters["model"].object!
        if let fault = try configuration(vocabulary: 1, endToken: 0).fault {
            throw InvalidParameters(fault, parameter: "model")
        }
    }

    func run(_ context: any ActionContext) async throws -> Accounting {
        let run = TrainingRun(context: context, settings: settings)
        let tokenizer = try context.directory("tokenizer")
        let initial: InitialModel
        if let role = context.roles(of: "checkpoint").first {
            let checkpoint = try context.directory(role)
            initial =
                try CheckpointShape(directory: checkpoint).map {
                    .random(
                        try $0.configuration(for: StudentTokenizer(directory: tokenizer)), seed: settings.seed)
                } ?? .checkpoint(checkpoint)
        } else {
            let vocabulary = try StudentTokenizer(directory: tokenizer)
            initial = .random(
                try configuration(vocabulary: vocabulary.size, endToken: vocabulary.endToken), seed: settings.seed)
        }
        let job = settings.job(
            model: initial, tokenizer: tokenizer, data: try run.files("tokens"), objective: objective,
            directory: context.scratchDirectory)
        return try await run.train(job, samples: context.recordCount("tokens"))
    }

    private func configuration(vocabulary: Int, endToken: Int) throws(JSONFieldError) -> ModelConfiguration {
        ModelConfiguration(
            vocabSize: vocabulary, hiddenSize: try model.integer("hidden-size"),
            intermediateSize: try model.integer("intermediate-size"), hiddenLayers: try model.integer("layers"),
            attentionHeads: try model.integer("heads"), keyValueHeads: try model.integer("key-value-heads"),
            maxPositions: try model.integer("max-positions"), tieWordEmbeddings: try model.bool("tie-embeddings"),
            eosTokenID: endToken)
    }
}
