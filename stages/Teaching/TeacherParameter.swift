import CanonicalJSON
import StageGraph
import Teachers

/// Which teacher a stage asks, and how.
struct TeacherSettings {
    static let parameters = [
        Parameter(
            "teacher",
            .variant(
                tag: "kind",
                cases: [
                    (
                        "synthetic",
                        [
                            Parameter("seed", .nonNegativeInteger, default: 0, "Another seed makes other mistakes."),
                            rate("error-rate", 0.25, "Questions answered wrong at first."),
                            rate("unanswered-rate", 0.01, "Answers that break off before the conclusion."),
                            rate("failed-rectification-rate", 0.05, "Hints that do not help."),
                            rate("hint-leak-rate", 0.03, "Rationales that mention the hint."),
                            rate("rephrasing-rate", 0.02, "Rationales in other words than the first answer's."),
                            rate("refusal-rate", 0.03, "Corruptions that are refused."),
                            rate("identical-rate", 0.02, "Corruptions that repeat the right response."),
                        ]
                    ),
                    (
                        "recorded",
                        [
                            Parameter("path", .file, "A JSON Lines file with an answer for each id, plain or .zst."),
                            Parameter("id-field", .string, default: "id", "The column with the question's id."),
                            Parameter("cot-field", .string, default: "cot", "The column with the chain of thought."),
                        ]
                    ),
                ]), "Who answers."),
        Parameter("temperature", .number(0...2), default: 0.2, "Sampling temperature."),
        Parameter("top-p", .fraction, default: 1, "Nucleus sampling."),
        Parameter("max-tokens", .positiveInteger, default: 2048, "New tokens, at most."),
    ]

    private static func rate(_ name: String, _ value: Double, _ summary: String) -> Parameter {
        Parameter(name, .fraction, default: .number(value), summary)
    }

    private let teacher: JSONObject
    let sampling: SamplingParameters

    init(_ parameters: StageParameters) {
        teacher = parameters["teacher"].object!
        sampling = SamplingParameters(
            temperature: parameters.double("temperature"), topP: parameters.double("top-p"),
            maxTokens: parameters.integer("max-tokens"))
    }

    /// - Throws: ``DataFileError`` or a recording error naming file and line.
    func makeTeacher(_ context: any ActionContext) throws -> any Teacher {
        guard teacher["kind"]?.string == "recorded" else {
            guard case .synthetic(let parameters) = try TeacherSpecification(json: .object(teacher)) else {
                preconditionFailure("the schema has a kind of teacher that Teachers does not know")
            }
            return SyntheticTeacher(parameters)
        }
        let recordings = try SourceBytes.plain(context, role: "teacher.path")
        return try RecordedTeacher(
            jsonLines: recordings, file: context.source("teacher.path").written,
            fields: RecordedTeacher.Fields(
                id: try teacher.string("id-field"), cot: try teacher.string("cot-field")))
    }
}
