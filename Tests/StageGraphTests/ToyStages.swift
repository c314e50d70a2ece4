import CanonicalJSON
import ContentStore
import StageGraph

/// Stage types for these tests; they run nothing.
let toys = StageLibrary([Source.self, Copy.self, Merge.self, Knobs.self, Strict.self, Gather.self])

let letters = ArtifactType(name: "letters", version: 1)
let numbers = ArtifactType(name: "numbers", version: 3)

protocol Toy: Stage {}

extension Toy {
    func run(_ context: any ActionContext) async throws -> Accounting { Accounting() }
}

struct Source: Toy {
    static let signature = StageSignature(
        "source", version: 1, .source, "Brings letters and numbers in.",
        outputs: [
            OutputPort("letters", letters, layout: .records, ""), OutputPort("numbers", numbers, layout: .records, ""),
        ])
    init(_ parameters: StageParameters) {}
}

struct Copy: Toy {
    static let signature = StageSignature(
        "copy", version: 1, .map, "Copies letters.", inputs: [InputPort("in", letters, distribution: .sharded, "")],
        outputs: [OutputPort("out", letters, layout: .records, "")])
    init(_ parameters: StageParameters) {}
}

struct Merge: Toy {
    static let signature = StageSignature(
        "merge", version: 1, .reduce, "Merges letters.",
        inputs: [
            InputPort("parts", letters, distribution: .whole, arity: .list, ""),
            InputPort("order", numbers, distribution: .whole, arity: .optional, ""),
        ],
        outputs: [OutputPort("all", letters, layout: .tree, "")])
    init(_ parameters: StageParameters) {}
}

struct Gather: Toy {
    static let signature = StageSignature(
        "gather", version: 1, .reduce, "Compares.",
        inputs: [InputPort("any", letters, distribution: .whole, arity: .named, "")],
        outputs: [])
    init(_ parameters: StageParameters) {}
}

/// One parameter of each kind.
struct Knobs: Toy {
    static let signature = StageSignature(
        "knobs", version: 1, .source, "Has every kind of parameter.",
        parameters: [
            Parameter("flag", .boolean, default: false, "A flag."),
            Parameter("count", .integer(1...10), default: 3, "A count."),
            Parameter("rate", .fraction, default: 0.5, "A rate."),
            Parameter("word", .string, default: .null, "A word."),
            Parameter("mode", .choice(["fast", "slow"]), default: "fast", "A mode."),
            Parameter("list", .list(.anyInteger), default: [], "Integers."),
            Parameter("map", .dictionary(.positiveNumber), default: [:], "Numbers by name."),
            Parameter("file", .file, default: .null, "A file."),
            Parameter("folder", .directory, default: .null, "A directory."),
            Parameter("files", .list(.file), default: [], "Files."),
            Parameter("named", .dictionary(.file), default: [:], "Files by name."),
            Parameter("wait", .integer(0...60), default: 5, isKeyed: false, "Seconds."),
            Parameter(
                "box",
                .object([
                    Parameter("width", .positiveInteger, "Pixels."),
                    Parameter("note", .string, default: "", isKeyed: false, "A note."),
                    Parameter("mask", .file, default: .null, "A file."),
                ]), default: .null, "A box."),
            Parameter(
                "shape",
                .variant(
                    tag: "kind",
                    cases: [
                        ("circle", [Parameter("radius", .positiveNumber, "Metres.")]),
                        (
                            "mesh",
                            [Parameter("path", .file, "A file."), Parameter("scale", .positiveNumber, default: 1, "")]
                        ),
                    ]), default: ["kind": "circle", "radius": 2], "A shape."),
        ],
        outputs: [OutputPort("out", letters, layout: .records, "")])
    init(_ parameters: StageParameters) {}
}

struct Strict: Toy {
    static let signature = StageSignature(
        "strict", version: 1, .source, "Refuses what does not fit together.",
        parameters: [
            Parameter("low", .anyInteger, default: 0, ""), Parameter("high", .anyInteger, default: 1, ""),
            Parameter("inner", .object([Parameter("deep", .anyInteger, default: 0, "")]), default: [:], ""),
        ],
        outputs: [])

    struct Odd: Error, CustomStringConvertible { let description = "odd" }

    init(_ parameters: StageParameters) throws {
        if parameters.integer("low") > parameters.integer("high") {
            throw InvalidParameters("low is above high", parameter: "low")
        }
        if parameters["inner"]["deep"] == 7 { throw InvalidParameters("deep is seven", parameter: "inner.deep") }
        if parameters.integer("high") == 13 { throw InvalidParameters("thirteen") }
        if parameters.integer("high") == 15 { throw Odd() }
    }
}

/// A place in line `line`.
func at(_ line: Int, _ column: Int = 1) -> SourceLocation { SourceLocation(file: "f", line: line, column: column) }

/// A stage in line `line`; inputs are written "role: reference reference".
func stage(
    _ name: String, _ uses: String, _ inputs: [String] = [], with parameters: [(String, DraftValue)] = [], line: Int
) -> StageDraft {
    StageDraft(
        name: Located(name, at: at(line)), uses: Located(uses, at: at(line, 10)),
        inputs: inputs.enumerated().map { index, text in
            let parts = text.split(separator: " ")
            return (
                Located(String(parts[0].dropLast()), at: at(line, 20 + index)),
                parts.dropFirst().map { Located(String($0), at: at(line, 30 + index)) }
            )
        },
        parameters: parameters.enumerated().map { index, pair in
            (Located(pair.0, at: at(line, 40 + index)), Located(pair.1, at: at(line, 50 + index)))
        })
}

func draft(_ stages: [StageDraft], name: String = "toy") -> PipelineDraft {
    PipelineDraft(name: name, baseDirectory: "base", stages: stages)
}

func mistakes(_ stages: [StageDraft], name: String = "toy") -> String {
    do throws(InvalidPipeline) {
        _ = try draft(stages, name: name).validated(against: toys)
        return ""
    } catch {
        return error.description
    }
}
