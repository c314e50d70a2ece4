import CanonicalJSON
import ContentStore
import StageGraph
import StudentJobs

/// The parameters SFT and KRSL share, and how they become a job for the worker.
struct TrainingSettings {
    static func parameters(learningRate: Double, epochs: Double, schedule: String) -> [Parameter] {
        [
            Parameter("epochs", .positiveNumber, default: .number(epochs), "Passes over the data; fractions count."),
            Parameter(
                "max-steps", .positiveInteger, default: .null, "Optimizer steps after which training ends anyway."),
            Parameter("batch-size", .positiveInteger, default: 64, "Samples in a micro-batch."),
            Parameter(
                "max-batch-tokens", .positiveInteger, default: .null,
                "Tokens in a micro-batch, at most; long samples then come in smaller batches."),
            Parameter("accumulation", .positiveInteger, default: 1, "Micro-batches in an optimizer step."),
            Parameter("learning-rate", .positiveNumber, default: .number(learningRate), "The peak learning rate."),
            Parameter(
                "schedule", .choice(["constant", "linear", "cosine", "per-epoch"]), default: .string(schedule),
                "How the learning rate falls: to a tenth by the end (linear, cosine), or times gamma after each epoch."),
            Parameter("gamma", .number(0...1), default: 0.95, "For the schedule per-epoch."),
            Parameter("warm-up-steps", .nonNegativeInteger, default: 0, "Steps of linear rise from 0."),
            Parameter("weight-decay", .nonNegativeNumber, default: 0, "Decoupled, as AdamW has it."),
            Parameter("beta1", .number(0...0.999999), default: 0.9, "AdamW's first moment."),
            Parameter("beta2", .number(0...0.999999), default: 0.999, "AdamW's second moment."),
            Parameter("clip-norm", .positiveNumber, default: 1, "Norm the gradient is scaled down to."),
            Parameter("seed", .nonNegativeInteger, default: 0, "Order of the data and random weights."),
            Parameter("threads", .integer(1...1024), default: 1, "Threads of tensor operations, and CPU slots."),
            Parameter(
                "precision", .choice(["float32", "bfloat16"]), default: "float32",
                "bfloat16 computes matrix products in it; weights and optimizer stay float32."),
            Parameter("device", .choice(["cpu", "cuda", "auto"]), default: "cpu", "Where to compute."),
            Parameter(
                "recompute", .boolean, default: false,
                "Computes each layer again on the way back instead of remembering it: slower, in less memory."),
            LoRASettings.parameter,
        ] + EpochSelection.parameters
    }

    private let parameters: StageParameters

    let selection: EpochSelection
    private let lora: LoRASettings?

    init(_ parameters: StageParameters) throws {
        self.parameters = parameters
        lora = try LoRASettings(parameters)
        selection = try EpochSelection(parameters)
    }

    var threads: Int { parameters.integer("threads") }
    var resources: Resources { ExecutionSettings(parameters).resources }
    var seed: UInt64 { UInt64(parameters.integer("seed")) }

    func job(
        model: InitialModel, tokenizer: String?, data: [String], objective: Objective, directory: String
    ) -> TrainingJob {
        let schedule: OptimizerSettings.Schedule =
            switch parameters.string("schedule") {
            case "linear": .linear(floor: 0.1)
            case "cosine": .cosine(floor: 0.1)
            case "per-epoch": .perEpoch(gamma: parameters.double("gamma"))
            default: .constant
            }
        var adapter = lora
        if case .random = model { adapter = nil }
        return TrainingJob(
            model: model, adapter: adapter.map { .new($0) }, tokenizer: tokenizer, data: data, objective: objective,
            optimizer: OptimizerSettings(
                learningRate: parameters.double("learning-rate"), beta1: parameters.double("beta1"),
                beta2: parameters.double("beta2"), weightDecay: parameters.double("weight-decay"),
                clipNorm: parameters.double("clip-norm"), schedule: schedule,
                warmUpSteps: parameters.integer("warm-up-steps")),
            batch: BatchSettings(
                samples: parameters.integer("batch-size"), maxTokens: parameters.optionalInteger("max-batch-tokens"),
                accumulation: parameters.integer("accumulation")),
            epochs: parameters.double("epochs"), maxSteps: parameters.optionalInteger("max-steps"), seed: seed,
            execution: ExecutionSettings(parameters), recomputesActivations: parameters.bool("recompute"),
            output: "\(directory)/checkpoint",
            log: "\(directory)/training-log.jsonl")
    }
}

extension ExecutionSettings {
    /// What the worker occupies: a CPU slot a thread, and the accelerator unless it computes on the CPU.
    var resources: Resources { Resources(cpuSlots: threads, accelerators: device == .cpu ? 0 : 1) }

    init(_ parameters: StageParameters) {
        self.init(
            device: Device(rawValue: parameters.string("device"))!,
            precision: Precision(rawValue: parameters.string("precision"))!, threads: parameters.integer("threads"))
    }
}
