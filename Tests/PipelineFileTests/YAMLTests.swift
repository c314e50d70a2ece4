import CanonicalJSON
import StageGraph
import Testing

@testable import PipelineFile

@Suite struct YAMLTests {
    @Test(arguments: [
        ("", JSON.null), ("~", .null), ("null", .null), ("Null", .null), ("true", true), ("FALSE", false),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("0", 0), ("-17", -17), ("+5", 5), ("007", 7),
        ("0x1F", 31), ("0o17", 15), ("0b1", "0b1"), ("0x-1", "0x-1"), ("1_000", "1_000"), ("12:30", "12:30"),
        ("0.025", 0.025), (".5", 0.5), ("1.", 1.0), ("1.e3", 1000.0), ("1e-5", 1e-5), ("-2.5E+3", -2500.0),
        ("1e", "1e"), (".", "."), ("-", "-"), ("1.2.3", "1.2.3"), (".inf", ".inf"), (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9223372036854775807", 9_223_372_036_854_775_807), ("9223372036854775808", 9223372036854775808.0),
        ("2024-01-01", "2024-01-01"), ("nan", "nan"), ("inf", "inf"), ("0x", "0x"), ("١", "١"),
    ])
    func plainScalarsFollowTheCoreSchema(text: String, value: JSON) {
        #expect(JSON(plainScalar: text) == value)
    }

    @Test func quotedScalarsAndBlocksAreStrings() throws {
        let file = try parse(
            pipeline(
                """
                  a:
                    uses: training
                    inputs: { pairs: d }
                    with: { label: "12" }
                  b:
                    uses: training
                    inputs: { pairs: d }
                    with: { label: !!str true }
                  c:
                    uses: training
                    inputs: { pairs: d }
                    with:
                      label: |
                        12
                  d:
                    uses: dual-filtering
                    inputs: { correct: e.correct, wrong: e.wrong }
                  e:
                    uses: teacher-sampling
                    inputs: { questions: f }
                  f: { uses: import, with: { path: "1" } }
                """))
        #expect(["a", "b", "c"].map { file.pipeline.stage($0)?.parameters.string("label") } == ["12", "true", "12\n"])
    }

    @Test(arguments: [
        ("", "1:1: error: the file is empty; a pipeline file begins with \"retort: 1\""),
        ("# nothing\n", "1:1: error: the file is empty; a pipeline file begins with \"retort: 1\""),
        ("- a\n", "1:1: error: a pipeline file is a mapping that begins with \"retort: 1\", found a list"),
        ("hello", "1:1: error: a pipeline file is a mapping that begins with \"retort: 1\", found \"hello\""),
        (
            "retort: 2\nfoo: 1\n",
            "1:9: error: this retort reads pipeline files of version 1, and this is version 2"
        ),
        ("retort: 1\nname: a\nstages: {}\n", "3:9: error: the pipeline has no stages"),
        (
            "retort: 1\nname: a\nstages: [a]\n",
            "3:9: error: \"stages\" takes a mapping from stage names to stages, found a list"
        ),
        ("retort: 1\nname: a\n", "1:1: error: missing \"stages\" in the pipeline file"),
        (
            "retort: 1\n\tname: a\n",
            "2:1: error: invalid YAML: found a tab character that violates indentation (while scanning a plain scalar, "
                + "which starts in line 1); indent with spaces"
        ),
        (
            "retort: 1\nname: @a\n",
            "2:7: error: invalid YAML: found character that cannot start any token (while scanning for the next token, "
                + "which starts in line 2); indent with spaces, not tabs, and quote text that begins with a special "
                + "character"
        ),
        (
            "retort: 1\nname: a: b\n",
            "2:8: error: invalid YAML: mapping values are not allowed in this context; quote text that holds \": \", "
                + "and align keys of one mapping"
        ),
        (
            "retort: 1\nstages: { a: 1\n",
            "3:1: error: invalid YAML: did not find expected ',' or '}' (while parsing a flow mapping, which starts in "
                + "line 2)"
        ),
        ("retort: 1\n---\nretort: 1\n", "2:1: error: a second document starts here; a pipeline file is one document"),
        ("retort: 1\nname: é\u{7}\n", "2:8: error: the character U+0007 may not stand in a pipeline file"),
        (
            "retort: &a [1]\nname: *a\n",
            "2:7: error: \"*a\" is an alias of the anchor \"&a\", and pipeline files have no aliases: make the value a "
                + "parameter and write ${a}"
        ),
    ])
    func whatIsNoPipelineFileIsRefusedWithItsPlace(text: String, message: String) {
        #expect(mistakes(text) == "toy.yaml:" + message)
    }

    @Test func textThatIsNotUTF8IsRefusedWithItsPlace() {
        let error = #expect(throws: InvalidPipeline.self) {
            try PipelineFile.parse(
                Array("retort: 1\nname: é".utf8) + [0xFF], file: "toy.yaml", baseDirectory: ".", library: toys)
        }
        #expect(error?.description == "toy.yaml:2:8: error: the text is not UTF-8")
    }

    @Test func repeatedKeysNameBothLinesAndTheRestIsStillChecked() {
        let text = """
            retort: 1
            name: toy
            stages:
              a:
                uses: import
                with: { path: a, "limit": 5, "limit": 6 }
                uses: import
              b: { uses: imprt }
              a:
                uses: import
              b: { uses: import }
              b: { uses: import }
            """
        #expect(
            mistakes(text) == """
                toy.yaml:6:34: error: the key "limit" stands twice in this mapping; the first is in line 6
                toy.yaml:7:5: error: the key "uses" stands twice in this mapping; the first is in line 5
                toy.yaml:8:14: error: unknown stage type "imprt"; did you mean "import"? Stage types: import, teacher-sampling, dual-filtering, training, report
                toy.yaml:9:3: error: the key "a" stands twice in this mapping; the first is in line 4
                toy.yaml:11:3: error: the key "b" stands twice in this mapping; the first is in line 8
                toy.yaml:12:3: error: the key "b" stands twice in this mapping; the first is in line 8
                """)
    }

    @Test func repeatedKeysAreToldEvenWhereReadingEnds() {
        #expect(
            mistakes("retort: 1\nname: a\nname: b\nstages: { a: *x }\n") == """
                toy.yaml:4:14: error: invalid YAML: found undefined alias; quote text that begins with "*" or "&"
                """)
        #expect(
            mistakes("retort: 1\nstages: { a: 1, a: 2 }\nname: a: b\n") == """
                toy.yaml:2:11: error: the key "a" stands twice in this mapping
                toy.yaml:3:8: error: invalid YAML: mapping values are not allowed in this context; quote text that holds ": ", and align keys of one mapping
                """)
        let many = mistakes("retort: 1\n" + String(repeating: "name: x\n", count: 1000))
        #expect(many.split(separator: "\n").count == 21)
        #expect(many.hasPrefix("toy.yaml:2:1: error: the key \"name\" stands twice in this mapping\n"))
    }

    @Test func hostileTextsAreRefusedQuickly() {
        let deepFlow = "retort: 1\na: " + String(repeating: "[", count: 900_000)
        #expect(mistakes(deepFlow).contains("error: invalid YAML"))
        let deep = "retort: 1\na: " + String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(mistakes(deep).contains("toy.yaml:2:67: error: nested deeper than 64 levels"))
        let deepBlock = String(repeating: "- ", count: 400_000)
        #expect(mistakes(deepBlock).contains("error: invalid YAML"))
        #expect(
            mistakes(String(repeating: "#", count: 1_048_577))
                == "toy.yaml:1:1: error: the file has 1048577 bytes; a pipeline file has at most 1048576")
        let bomb = "a: &a [x, x]\n" + ("b"..."h").map { "\($0): &\($0) [*a, *a]\n" }.joined()
        #expect(mistakes(bomb).contains("is an alias of the anchor"))
    }

    @Test(arguments: ["? [a]\n: 1\n", "{a: 1}: 2\n", "? {a: 1}\n"])
    func aKeyMustBeAName(line: String) {
        #expect(
            mistakes("retort: 1\nname: a\n" + line).contains("error: a key must be a name, found a list or a mapping"))
    }

    @Test func starsAndAmpersandsInTextAreNoAliases() throws {
        let file = try parse(
            pipeline("  a: { uses: import, with: { path: \"a & b * c\", fields: { x: 2*a&a } } }"))
        #expect(file.pipeline.stage("a")?.parameters["fields"] == ["x": "2*a&a"])
    }

    @Test func unknownTagsAreRefused() {
        #expect(
            mistakes(pipeline("  a: { uses: import, with: { path: !!binary aGk= } }"))
                == "toy.yaml:4:36: error: the tag \"tag:yaml.org,2002:binary\" is not known: pipeline files need no tags"
        )
    }

    @Test func aFileThatCannotBeReadIsSaid() {
        let missing = #expect(throws: InvalidPipeline.self) {
            try PipelineFile.load(path: "/nowhere/toy.yaml", library: toys)
        }
        #expect(
            missing?.description == "error: cannot read the pipeline file /nowhere/toy.yaml: there is no such file")
        let folder = #expect(throws: InvalidPipeline.self) { try PipelineFile.load(path: "/", library: toys) }
        #expect(folder?.description == "error: cannot read the pipeline file /: it is a directory")
    }
}

private func ... (first: Character, last: Character) -> [Character] {
    "abcdefghijklmnopqrstuvwxyz".filter { $0 >= first && $0 <= last }
}
