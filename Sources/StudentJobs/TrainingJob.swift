import CanonicalJSON

/// Train a student and write it as a Hugging Face checkpoint directory.
public struct TrainingJob: Sendable, Equatable {
    public var model: InitialModel
    /// What is trained in place of the model. Nil: the model, all of it.
    public var adapter: InitialAdapter?
    /// With an adapter: whether the output is the model with the adapter merged into it. Otherwise the output is the
    /// adapter alone, in PEFT's format.
    public var mergesAdapter: Bool
    /// A directory whose tokenizer.json (and tokenizer_config.json and their like) go into the checkpoint. Nil: those
    /// of the initial checkpoint, if any.
    public var tokenizer: String?
    /// Token shards: `tokens/1` for ``Objective/sft``, `token-pairs/1` for ``Objective/krsl(_:)``. Their order does
    /// not matter.
    public var data: [String]
    public var objective: Objective
    public var optimizer: OptimizerSettings
    public var batch: BatchSettings
    /// Passes over the data; a fraction ends within one. Training ends at this or at ``maxSteps``, whichever comes
    /// first.
    public var epochs: Double
    /// Optimizer steps at most. Nil: as ``epochs`` says.
    public var maxSteps: Int?
    /// Seeds the order of the data.
    public var seed: UInt64
    public var execution: ExecutionSettings
    /// Whether each layer is computed a second time on the way back instead of being remembered: about a third more
    /// time for memory of one layer instead of all. Gradients are the same.
    public var recomputesActivations: Bool
    /// Nil: an interrupted job begins again.
    public var resume: ResumeSettings?
    /// A directory to write what ``output`` would be after each epoch into, as `epoch-1`, `epoch-2`, and so on; those
    /// that are there already stay.
    public var epochOutputs: String?
    /// The checkpoint directory to write; must not exist, or be empty.
    public var output: String
    /// A JSON Lines file to write with one deterministic line a step: losses and accuracies, no times.
    public var log: String?

    public init(
        model: InitialModel, adapter: InitialAdapter? = nil, mergesAdapter: Bool = false, tokenizer: String? = nil,
        data: [String], objective: Objective, optimizer: OptimizerSettings, batch: BatchSettings, epochs: Double = 1,
        maxSteps: Int? = nil, seed: UInt64, execution: ExecutionSettings = ExecutionSettings(),
        recomputesActivations: Bool = false, resume: ResumeSettings? = nil, epochOutputs: String? = nil,
        output: String, log: String? = nil
    ) {
        self.model = model
        self.adapter = adapter
        self.mergesAdapter = mergesAdapter
        self.tokenizer = tokenizer
        self.data = data
        self.objective = objective
        self.optimizer = optimizer
        self.batch = batch
        self.epochs = epochs
        self.maxSteps = maxSteps
        self.seed = seed
        self.execution = execution
        self.recomputesActivations = recomputesActivations
        self.resume = resume
        self.epochOutputs = epochOutputs
        self.output = output
        self.log = log
    }
}

/// Where training begins.
public enum InitialModel: Sendable, Equatable {
    /// Seeded random weights.
    case random(ModelConfiguration, seed: UInt64)
    /// A Hugging Face checkpoint directory.
    case checkpoint(String)
}

/// How many samples make an optimizer step.
public struct BatchSettings: Sendable, Equatable {
    /// Samples (for KRSL: pairs) in one micro-batch.
    public var samples: Int
    /// Splits a micro-batch whose tokens, padding included, exceed this, to bound memory; the result is the same up
    /// to rounding. Nil: never.
    public var maxTokens: Int?
    /// Micro-batches accumulated for one optimizer step. Accumulating n of them equals one batch n times the size.
    public var accumulation: Int

    public init(samples: Int, maxTokens: Int? = nil, accumulation: Int = 1) {
        self.samples = samples
        self.maxTokens = maxTokens
        self.accumulation = accumulation
    }
}

extension TrainingJob {
    public var json: JSON {
        [
            "model": model.json, "adapter": adapter?.json ?? .null, "merges_adapter": .bool(mergesAdapter),
            "tokenizer": .optional(tokenizer), "data": .array(data.map { .string($0) }),
            "objective": objective.json, "optimizer": optimizer.json, "batch": batch.json, "epochs": .number(epochs),
            "max_steps": .optional(maxSteps), "seed": .seed(seed), "execution": execution.json,
            "recomputes_activations": .bool(recomputesActivations), "resume": resume?.json ?? .null,
            "epoch_outputs": .optional(epochOutputs), "output": .string(output), "log": .optional(log),
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            model: try InitialModel(json: json.object("model")),
            adapter: try json.optional("adapter", InitialAdapter.init(json:)),
            mergesAdapter: try json.optionalBool("merges_adapter") ?? false,
            tokenizer: try json.optionalString("tokenizer"), data: try json.strings("data"),
            objective: try Objective(json: json.object("objective")),
            optimizer: try OptimizerSettings(json: json.object("optimizer")),
            batch: try BatchSettings(json: json.object("batch")), epochs: try json.double("epochs"),
            maxSteps: try json.optionalInteger("max_steps"), seed: try json.seed("seed"),
            execution: try ExecutionSettings(json: json.object("execution")),
            recomputesActivations: try json.optionalBool("recomputes_activations") ?? false,
            resume: try json.optional("resume", ResumeSettings.init(json:)),
            epochOutputs: try json.optionalString("epoch_outputs"), output: try json.string("output"),
            log: try json.optionalString("log"))
        try json.check("merges_adapter", !mergesAdapter || adapter != nil, "needs an adapter")
        try json.check("data", !data.isEmpty, "must name at least one file")
        try json.check("epochs", epochs > 0, "must be positive")
        try json.check("max_steps", maxSteps ?? 1 > 0, "must be positive, or null for no limit")
    }
}

extension InitialModel {
    public var json: JSON {
        switch self {
        case .random(let configuration, let seed):
            ["random": configuration.json, "seed": .seed(seed)]
        case .checkpoint(let directory): ["checkpoint": .string(directory)]
        }
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        switch (json["random"], json["checkpoint"]) {
        case (_?, nil):
            self = .random(try ModelConfiguration(json: json.object("random")), seed: try json.seed("seed"))
        case (nil, _?): self = .checkpoint(try json.string("checkpoint"))
        default: throw JSONFieldError(field: "model", problem: "should have either \"random\" or \"checkpoint\"")
        }
    }
}

extension BatchSettings {
    public var json: JSON {
        [
            "samples": .whole(samples), "max_tokens": .optional(maxTokens),
            "accumulation": .whole(accumulation),
        ]
    }

    public init(json: JSONObject) throws(JSONFieldError) {
        self.init(
            samples: try json.integer("samples"), maxTokens: try json.optionalInteger("max_tokens"),
            accumulation: try json.integer("accumulation"))
        try json.check("samples", samples >= 1, "must be at least 1")
        try json.check("max_tokens", maxTokens ?? 1 >= 1, "must be at least 1, or null for no limit")
        try json.check("accumulation", accumulation >= 1, "must be at least 1")
    }
}
