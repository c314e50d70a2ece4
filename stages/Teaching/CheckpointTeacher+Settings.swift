import CanonicalJSON
import StageGraph
import StudentJobs

extension CheckpointTeacher {
    /// The parameters of `kind: checkpoint`. What is not keyed decides how fast answers come, and nothing else.
    struct Settings: Sendable {
        static let declared = [
            Parameter("path", .directory, "The folder of a Hugging Face checkpoint; its content is what counts."),
            Parameter(
                "format", .choice(Format.allCases.map(\.rawValue)), default: "chat",
                "chat writes messages by the checkpoint's chat template; text gives it their plain text."),
            Parameter("top-k", .positiveInteger, default: .null, "Draws from so many of the likeliest tokens only."),
            Parameter(
                "precision", .choice(["float32", "bfloat16"]), default: "float32", "Precision of matrix products."),
            Parameter("device", .choice(["cpu", "cuda", "auto"]), default: "cpu", "Where to compute."),
            Parameter(
                "batch-size", .positiveInteger, default: 64, isKeyed: false, "Answers written side by side."),
            Parameter(
                "threads", .integer(1...1024), default: 1, isKeyed: false,
                "Threads of tensor operations, and CPU slots."),
        ]

        enum Format: String, Sendable, CaseIterable {
            case chat, text
        }

        let format: Format
        let topK: Int?
        let batch: Int
        let execution: ExecutionSettings

        /// - Parameter object: a value of ``declared``.
        init(declared object: JSONObject) {
            format = Format(rawValue: object["format"]!.string!)!
            topK = object["top-k"]?.integer
            batch = object["batch-size"]!.integer!
            execution = ExecutionSettings(
                device: ExecutionSettings.Device(rawValue: object["device"]!.string!)!,
                precision: ExecutionSettings.Precision(rawValue: object["precision"]!.string!)!,
                threads: object["threads"]!.integer!)
        }
    }
}
