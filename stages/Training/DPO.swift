import CanonicalJSON
import ContentStore
import StageGraph
import StudentJobs

/// Direct preference optimisation of right over wrong chains of thought, in place of KRSL (EDIT §5, where it collapses).
///
/// The reference is the checkpoint training starts from.
struct DPO: Stage {
    static let signature = StageSignature(
        "dpo", version: 1, .reduce, "Trains a student to prefer right over wrong chains of thought.",
        parameters: [
            Parameter("beta", .positiveNumber, default: 0.1, "How strongly the student is held to the reference.")
        ] + TrainingSettings.parameters(learningRate: 1e-4, epochs: 1, schedule: "constant"),
        inputs: [
            InputPort("pairs", .tokenPairs, distribution: .whole, "Pairs; their key-token masks play no part."),
            InputPort("checkpoint", .checkpoint, distribution: .whole, "The student after SFT, and the reference."),
            EpochSelection.input,
        ],
        outputs: [
            OutputPort("checkpoint", .checkpoint, layout: .tree, "The student after DPO."),
            TrainingRun.log,
        ],
        programs: [StudentProcess.program])

    private let settings: TrainingSettings
    private let beta: Double

    var resources: Resources { settings.resources }

    init(_ parameters: StageParameters) throws {
        settings = try TrainingSettings(parameters)
        beta = parameters.double("beta")
    }

    func run(_ context: any ActionContext) async throws -> Accounting {
        try await TrainingRun(context: context, settings: settings).trainOnPairs(.dpo(beta: beta))
    }
}
