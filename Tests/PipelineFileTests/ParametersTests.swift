import CanonicalJSON
import StageGraph
import Testing

@testable import PipelineFile

@Suite struct ParametersTests {
    private let text = """
        retort: 1
        name: toy
        parameters:
          data: ~
          limit: 10
          fields: { q: question }
          label: run
          deep: ${data}/deep
        stages:
          a: { uses: import, with: { path: "${data}/a.jsonl", limit: ${limit}, fields: ${fields} } }
          b: { uses: import, with: { path: b.jsonl } }
          c: { uses: import, with: { path: "./${data}", fields: { x: "${label}-${limit} costs $${limit}" } } }
          d: { uses: import, with: { path: ${deep}/d.jsonl } }
        """

    @Test func aLoneReferenceKeepsItsTypeAndOthersBecomeText() throws {
        let file = try parse(text, set: [("data", "set")])
        let a = try #require(file.pipeline.stage("a")).parameters
        #expect(a["limit"] == 10)
        #expect(a["fields"] == ["q": "question"])
        #expect(a["path"] == "set/a.jsonl")
        let c = try #require(file.pipeline.stage("c")).parameters
        #expect(c["fields"] == ["x": "run-10 costs ${limit}"])
        #expect(file.parameters["limit"] == 10)
        #expect(file.parameters["deep"] == "set/deep")
        #expect(file.unusedParameters.isEmpty)
    }

    @Test func relativePathsAreTakenFromWhereTheyWereWritten() throws {
        let set = try PipelineFile.parse(
            Array(text.utf8), file: "x/toy.yaml", baseDirectory: "x", overrides: [("data", "../set")], library: toys,
            workingDirectory: "/here")
        #expect(
            ["a", "b", "c", "d"].map { set.pipeline.stage($0)?.parameters.sources[0].path } == [
                "/here/../set/a.jsonl", "x/b.jsonl", "x/./../set", "/here/../set/deep/d.jsonl",
            ])
        let inFile = try PipelineFile.parse(
            Array(text.replacing("data: ~", with: "data: own").utf8), file: "x/toy.yaml", baseDirectory: "x",
            library: toys, workingDirectory: "/here")
        #expect(
            ["a", "d"].map { inFile.pipeline.stage($0)?.parameters.sources[0].path } == [
                "x/own/a.jsonl", "x/own/deep/d.jsonl",
            ])
        let absolute = try PipelineFile.parse(
            Array(text.utf8), file: "x/toy.yaml", baseDirectory: "x", overrides: [("data", "/set")], library: toys,
            workingDirectory: "/here")
        #expect(absolute.pipeline.stage("a")?.parameters.sources[0].path == "/set/a.jsonl")
        #expect(absolute.pipeline.stage("a")?.parameters.sources[0].written == "/set/a.jsonl")
    }

    @Test func overridesAreScalarsOrFlowValues() throws {
        func label(_ value: String) throws -> JSON? {
            let text = pipeline("  b: { uses: import, with: { path: b } }", parameters: "  label: ~")
            return try parse(text, set: [("label", value)]).parameters["label"]
        }
        #expect(try label("5") == 5)
        #expect(try label("true") == true)
        #expect(try label("a: b # c") == "a: b # c")
        #expect(try label("'5'") == "5")
        #expect(try label("[1, x]") == [1, "x"])
        #expect(try label("{a: ${b}}") == ["a": "${b}"])
        #expect(try label("*x") == "*x")
        #expect(try label("") == "")
        #expect(try label("null") == .null)
    }

    @Test func ofTwoOverridesTheLaterWins() throws {
        #expect(try parse(text, set: [("data", "x"), ("limit", "1"), ("limit", "2")]).parameters["limit"] == 2)
    }

    @Test func mistakesInOverridesAreNamed() {
        #expect(
            mistakes(text, set: [("daata", "x"), ("limit", "many"), ("fields", "[1"), ("label", "[a, b]")]) == """
                error: --set daata: the pipeline has no parameter "daata"; did you mean "data"? It has: data, limit, fields, label, deep
                error: --set fields=[1: invalid YAML: did not find expected ',' or ']' (while parsing a flow sequence, which starts in line 1)
                toy.yaml:4:3: error: parameter "data" has no value: give one with --set data=VALUE
                toy.yaml:10:62: error: parameter "limit" takes an integer of at least 1, found "many" (from --set limit=many)
                toy.yaml:12:62: error: ${label} is not a scalar, so it cannot stand inside longer text
                """)
        #expect(
            mistakes(pipeline("  b: { uses: import, with: { path: b } }"), set: [("x", "1")])
                == "error: --set x: the pipeline has no parameter \"x\"; it has none")
    }

    @Test func aWrongDefaultNamesItsLine() {
        #expect(
            mistakes(text.replacing("limit: 10", with: "limit: -1"), set: [("data", "x")])
                == "toy.yaml:10:62: error: parameter \"limit\" takes an integer of at least 1, found -1 "
                + "(from ${limit} in line 5)")
    }

    @Test func malformedReferencesAreNamed() {
        let stages = """
              a: { uses: import, with: { path: "${", fields: { a: "${}", b: "${a b}", c: "${a.b}", d: "${matrix.x}" } } }
              b: { uses: "${type}", with: { path: ${matrix.x.y} } }
            """
        #expect(
            mistakes(pipeline(stages)) == """
                toy.yaml:4:36: error: "${" does not name a parameter; write ${name}, or $${ where the text should have ${
                toy.yaml:4:55: error: "${}" does not name a parameter; write ${name}, or $${ where the text should have ${
                toy.yaml:4:65: error: "${a b}" does not name a parameter; write ${name}, or $${ where the text should have ${
                toy.yaml:4:78: error: "${a.b}" does not name a parameter; names with a dot are ${matrix.axis}
                toy.yaml:4:91: error: ${matrix.x} has no meaning here: only a stage with a matrix has ${matrix.…}
                toy.yaml:5:14: error: unknown parameter "type" in ${type}; the pipeline has none
                toy.yaml:5:39: error: "${matrix.x.y}" does not name a parameter; write ${name}, or $${ where the text should have ${
                """)
    }

    @Test func aParameterMayUseThoseAboveItOnly() {
        #expect(
            mistakes(
                pipeline("  b: { uses: import, with: { path: ${a} } }", parameters: "  a: ${b}/x\n  b: ${b}\n  c: ${d}")
            )
                == """
                toy.yaml:4:6: error: ${b} stands below; a parameter can use those above it
                toy.yaml:5:6: error: ${b} stands below; a parameter can use those above it
                toy.yaml:6:6: error: unknown parameter "d" in ${d}; the pipeline has: a, b
                """)
    }

    @Test func unusedParametersAreTold() throws {
        let file = try parse(pipeline("  b: { uses: import, with: { path: ${a} } }", parameters: "  a: x\n  spare: 1"))
        #expect(file.unusedParameters.map(\.value) == ["spare"])
        #expect(file.unusedParameters[0].location?.line == 5)
    }
}
