import CanonicalJSON
import StageGraph
import StudentJobs

extension LoRASettings {
    /// The parameter `lora` of training stages; the defaults are the paper's (EDIT, appendix).
    static let parameter = Parameter(
        "lora",
        .object([
            Parameter("rank", .integer(1...65_536), default: 64, "Rows of A and columns of B."),
            Parameter("alpha", .positiveNumber, default: 32, "The update is multiplied by alpha / rank."),
            Parameter("dropout", .number(0...0.999999), default: 0.05, "Of an update's input."),
            Parameter(
                "targets", .list(.choice(LoRASettings.allTargets)), default: ["q_proj", "v_proj"],
                "The linear maps that get an update, in every layer."),
        ]), default: .null,
        "Trains a low-rank adapter instead of all weights. The checkpoint is then the model with the adapter merged in, "
            + "in float32, and the adapter itself lies in its folder adapter/ in PEFT's format. Not used where the "
            + "weights begin at random.")

    /// Nil where the stage trains all weights.
    init?(_ parameters: StageParameters) throws {
        guard let object = parameters["lora"].object else { return nil }
        self.init(
            rank: try object.integer("rank"), alpha: try object.double("alpha"), dropout: try object.double("dropout"),
            targets: try object.array("targets").compactMap(\.string))
        if targets.isEmpty {
            throw InvalidParameters("lora.targets is empty, so there would be nothing to train", parameter: "lora")
        }
    }
}
