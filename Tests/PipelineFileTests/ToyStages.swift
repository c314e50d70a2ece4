import CanonicalJSON
import ContentStore
import PipelineFile
import StageGraph

/// A small library in the manner of the real one, for these tests. Its stages run nothing.
let toys = StageLibrary([Import.self, Sampling.self, Filtering.self, Training.self, Report.self])

private let questions = ArtifactType(name: "questions", version: 1)
private let thoughts = ArtifactType(name: "thoughts", version: 1)
private let pairs = ArtifactType(name: "pairs", version: 1)
private let checkpoint = ArtifactType(name: "checkpoint", version: 1)

protocol Toy: Stage {}

extension Toy {
    func run(_ context: any ActionContext) async throws -> Accounting { Accounting() }
}

struct Import: Toy {
    static let signature = StageSignature(
        "import", version: 1, .source, "Reads questions.",
        parameters: [
            Parameter("path", .file, "The file."),
            Parameter("limit", .positiveInteger, default: .null, "At most this many."),
            Parameter("fields", .dictionary(.string), default: [:], "New name of each field."),
        ],
        outputs: [OutputPort("questions", questions, layout: .records, "")])
    init(_ parameters: StageParameters) {}
}

struct Sampling: Toy {
    static let signature = StageSignature(
        "teacher-sampling", version: 2, .map, "Asks a teacher.",
        parameters: [
            Parameter("samples", .integer(1...16), default: 1, "Answers a question."),
            Parameter("temperature", .number(0...2), default: 0.7, "Sampling temperature."),
            Parameter("prompt", .file, default: .null, "A template."),
            Parameter("timeout", .positiveNumber, default: 60, isKeyed: false, "Seconds."),
            Parameter(
                "teacher",
                .variant(
                    tag: "kind",
                    cases: [
                        ("synthetic", [Parameter("error-rate", .fraction, default: 0.25, "")]),
                        ("recorded", [Parameter("path", .file, "")]),
                    ]), default: ["kind": "synthetic"], "Who answers."),
        ],
        inputs: [InputPort("questions", questions, distribution: .sharded, "")],
        outputs: [
            OutputPort("correct", thoughts, layout: .records, ""), OutputPort("wrong", thoughts, layout: .records, ""),
        ])
    init(_ parameters: StageParameters) throws {
        if parameters.integer("samples") > 1, parameters.double("temperature") == 0 {
            throw InvalidParameters("several samples at temperature 0 are all the same", parameter: "temperature")
        }
    }
}

struct Filtering: Toy {
    static let signature = StageSignature(
        "dual-filtering", version: 1, .map, "Keeps dual pairs.",
        parameters: [
            Parameter("mode", .choice(["strict", "lenient"]), default: "strict", ""),
            Parameter("drop", .list(.string), default: [], ""),
        ],
        inputs: [
            InputPort("correct", thoughts, distribution: .sharded, ""),
            InputPort("wrong", thoughts, distribution: .sharded, ""),
            InputPort("demonstrations", thoughts, distribution: .whole, arity: .optional, ""),
        ],
        outputs: [OutputPort("pairs", pairs, layout: .records, "")])
    init(_ parameters: StageParameters) {}
}

struct Training: Toy {
    static let signature = StageSignature(
        "training", version: 1, .reduce, "Trains.",
        parameters: [
            Parameter("beta", .nonNegativeNumber, default: 0, ""), Parameter("seed", .anyInteger, default: 0, ""),
            Parameter("label", .string, default: "", ""),
        ],
        inputs: [
            InputPort("pairs", pairs, distribution: .sharded, arity: .list, ""),
            InputPort("start", checkpoint, distribution: .sharded, arity: .optional, ""),
        ],
        outputs: [OutputPort("checkpoint", checkpoint, layout: .tree, "")])
    init(_ parameters: StageParameters) {}
}

struct Report: Toy {
    static let signature = StageSignature(
        "report", version: 1, .reduce, "Writes a table.",
        inputs: [InputPort("students", checkpoint, distribution: .sharded, arity: .named, "")], outputs: [])
    init(_ parameters: StageParameters) {}
}

/// The pipeline of a text, as if it stood in pipelines/toy.yaml.
func parse(_ text: String, set overrides: [(name: String, value: String)] = []) throws(InvalidPipeline) -> PipelineFile
{
    try PipelineFile.parse(
        Array(text.utf8), file: "toy.yaml", baseDirectory: "pipelines", overrides: overrides, library: toys)
}

/// What is wrong with a text, one mistake a line; empty when it is a pipeline.
func mistakes(_ text: String, set overrides: [(name: String, value: String)] = []) -> String {
    do throws(InvalidPipeline) {
        _ = try parse(text, set: overrides)
        return ""
    } catch {
        return error.description
    }
}

/// The text of a pipeline whose stages are given, indented by two.
func pipeline(_ stages: String, parameters: String = "") -> String {
    let section = parameters.isEmpty ? "" : "parameters:\n\(parameters)\n"
    return "retort: 1\nname: toy\n\(section)stages:\n\(stages)\n"
}
