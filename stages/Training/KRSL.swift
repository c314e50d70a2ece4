import CanonicalJSON
import ContentStore
import StageGraph
import StudentJobs

/// Key reasoning steps learning (EDIT Eq. 5 to 7): draws the student to the key tokens of right chains of thought and
/// pushes it off those of their wrong twins.
struct KRSL: Stage {
    static let signature = StageSignature(
        "krsl", version: 3, .reduce, "Trains a student on the key reasoning steps of dual chains of thought.",
        parameters: [
            Parameter("alpha", .nonNegativeNumber, default: 1, "Weight of the key tokens of the right side."),
            Parameter("beta", .nonNegativeNumber, default: 0.025, "Weight of the key tokens of the wrong side."),
            Parameter(
                "normalization", .choice(["per-token", "sum"]), default: "per-token",
                "per-token divides a sample's weighted sum by its completion tokens, as published; sum does not."),
            Parameter(
                "rejected-ceiling", .positiveNumber, default: .null,
                "NLL (nats) above which a key token of the wrong side no longer counts."),
        ] + TrainingSettings.parameters(learningRate: 1e-4, epochs: 1, schedule: "constant"),
        inputs: [
            InputPort("pairs", .tokenPairs, distribution: .whole, "Aligned pairs with key-token masks."),
            InputPort("checkpoint", .checkpoint, distribution: .whole, "The student after SFT."),
            EpochSelection.input,
        ],
        outputs: [
            OutputPort("checkpoint", .checkpoint, layout: .tree, "The student after KRSL."),
            TrainingRun.log,
        ],
        programs: [StudentProcess.program])

    private let settings: TrainingSettings
    private let objective: KRSLSettings

    var resources: Resources { settings.resources }

    init(_ parameters: StageParameters) throws {
        settings = try TrainingSettings(parameters)
        objective = KRSLSettings(
            alpha: parameters.double("alpha"), beta: parameters.double("beta"),
            normalization: parameters.string("normalization") == "sum" ? .sum : .perToken,
            rejectedCeiling: parameters.optionalDouble("rejected-ceiling"))
        if objective.alpha == 0 && objective.beta == 0 {
            throw InvalidParameters("alpha and beta are both 0, so there would be nothing to learn", parameter: "alpha")
        }
    }

    func run(_ context: any ActionContext) async throws -> Accounting {
        try await TrainingRun(context: context, settings: settings).trainOnPairs(.krsl(objective))
    }
}
