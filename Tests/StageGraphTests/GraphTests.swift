import CanonicalJSON
import StageGraph
import Testing

@Suite struct GraphTests {
    @Test func inputsBindToPortsUnderTheirRoles() throws {
        let pipeline = try draft([
            stage("s", "source", line: 1), stage("c", "copy", ["in: s.letters"], line: 2),
            stage("m", "merge", ["order: s.numbers", "parts: c s.letters"], line: 3),
            stage("one", "merge", ["parts: m"], line: 4), stage("g", "gather", ["x: c.out", "any: m"], line: 5),
        ]).validated(against: toys)
        func inputs(_ name: String) -> [String] {
            pipeline.stage(name)!.inputs.map { "\($0.role) \($0.port.name) \($0.source)" }
        }
        #expect(inputs("c") == ["in in s.letters"])
        #expect(inputs("m") == ["parts[0] parts c.out", "parts[1] parts s.letters", "order order s.numbers"])
        #expect(inputs("one") == ["parts[0] parts m.all"])
        #expect(inputs("g") == ["x any c.out", "any any m.all"])
        #expect(pipeline.stage("c")?.location == at(2))
        #expect(pipeline.stage("c")?.signature.name == "copy")
    }

    @Test func stagesStandBehindTheirDependenciesAndElseAsWritten() throws {
        let stages = [
            stage("z", "gather", ["b: b", "a: a"], line: 1), stage("b", "copy", ["in: y.letters"], line: 2),
            stage("a", "copy", ["in: x.letters"], line: 3), stage("x", "source", line: 4),
            stage("y", "source", line: 5), stage("w", "source", line: 6),
        ]
        let pipeline = try draft(stages).validated(against: toys)
        #expect(pipeline.stages.map(\.name) == ["y", "b", "x", "a", "z", "w"])
        let sorted = [stages[5], stages[3], stages[4], stages[2], stages[1], stages[0]]
        #expect(
            try draft(sorted).validated(against: toys).stages.map(\.name) == ["w", "x", "y", "a", "b", "z"])
    }

    @Test func everyMistakeInInputsIsNamed() {
        let stages = [
            stage("s", "source", line: 1),
            stage("c1", "copy", ["in: s"], line: 2),
            stage("c2", "copy", ["in: s.leters"], line: 3),
            stage("c3", "copy", ["in: s.numbers"], line: 4),
            stage("c4", "copy", ["inn: s.letters"], line: 5),
            stage("c5", "copy", ["in: s.letters s.letters"], line: 6),
            stage("c6", "copy", line: 7),
            stage("c7", "copy", ["in: t.letters"], line: 8),
            stage("c8", "copy", ["in: g"], line: 9),
            stage("c9", "copy", ["in: s.letters", "in: s.letters"], line: 10),
            stage("ca", "copy", ["in:"], line: 11),
            stage("m", "merge", ["parts: s.letters s.numbers x", "order: c1"], line: 12),
            stage("g", "gather", ["p: c1 c1", "a.b: c1", "q: m.all"], line: 13),
            stage("s2", "source", ["in: s.letters"], line: 14),
        ]
        #expect(
            mistakes(stages) == """
                f:2:30: error: stage "s" (source) has several outputs: write s.letters or s.numbers
                f:3:30: error: stage "s" (source) has no output "leters"; did you mean "letters"? It has: letters, numbers
                f:4:30: error: input "in" of stage type copy takes letters/1, but s.numbers is numbers/3 (port "in" of copy, output "numbers" of source)
                f:5:20: error: unknown input "inn" of stage type copy; did you mean "in"? It takes: in
                f:6:20: error: input "in" of stage type copy takes one reference, found 2
                f:7:10: error: missing input "in" of stage type copy: letters/1
                f:8:30: error: unknown stage "t"
                f:9:30: error: stage "g" (gather) has no output
                f:10:21: error: input "in" is given twice
                f:11:20: error: input "in" of stage type copy has no reference
                f:12:30: error: unknown stage "x"
                f:12:30: error: input "parts" of stage type merge takes letters/1, but s.numbers is numbers/3 (port "parts" of merge, output "numbers" of source)
                f:12:31: error: input "order" of stage type merge takes numbers/3, but c1.out is letters/1 (port "order" of merge, output "out" of copy)
                f:13:20: error: input "p" of stage type gather takes one reference, found 2
                f:13:21: error: the input name "a.b" has characters other than letters, digits, "-" and "_"
                f:14:20: error: unknown input "in" of stage type source; it takes none
                """)
    }

    @Test func aBrokenStageBringsNoMistakesElsewhere() {
        let stages = [
            stage("s", "soruce", line: 1), stage("c", "copy", ["in: s.letters"], line: 2),
            stage("k", "knobs", with: [("bad", .scalar(1))], line: 3), stage("d", "copy", ["in: k"], line: 4),
            stage("e", "copy", ["in: d.uot"], line: 5), stage("f", "merge", ["parts: e c d"], line: 6),
        ]
        #expect(
            mistakes(stages) == """
                f:1:10: error: unknown stage type "soruce"; did you mean "source"? Stage types: source, copy, merge, knobs, strict, gather
                f:3:40: error: unknown parameter "bad" of stage type knobs; it takes: flag, count, rate, word, mode, list, map, file, folder, files, named, wait, box, shape
                f:5:30: error: stage "d" (copy) has no output "uot"; did you mean "out"? It has: out
                """)
    }

    @Test func cyclesAreNamedOnceEachByTheirShortestRound() {
        let stages = [
            stage("a", "merge", ["parts: b c"], line: 1), stage("b", "merge", ["parts: d"], line: 2),
            stage("c", "copy", ["in: a"], line: 3), stage("d", "copy", ["in: a"], line: 4),
            stage("me", "copy", ["in: me"], line: 5), stage("x", "copy", ["in: y"], line: 6),
            stage("y", "copy", ["in: x"], line: 7), stage("out", "copy", ["in: y"], line: 8),
        ]
        #expect(
            mistakes(stages) == """
                f:1:30: error: the stages form a cycle, each taking an input from the next: a → c → a
                f:5:30: error: the stages form a cycle, each taking an input from the next: me → me
                f:6:30: error: the stages form a cycle, each taking an input from the next: x → y → x
                """)
    }

    @Test func namesAreCheckedAndUnique() {
        let stages = [
            stage("a b", "source", line: 1), stage("é", "source", line: 2), stage("", "source", line: 3),
            stage("ok_1-x", "source", line: 4), stage("ok_1-x", "source", line: 5), stage("v[a=1]", "source", line: 6),
            stage("v[a=]", "source", line: 7),
        ]
        #expect(
            mistakes(stages, name: "") == """
                error: the pipeline's name is empty
                f:1:1: error: the stage name "a b" has characters other than letters, digits, "-" and "_"
                f:2:1: error: the stage name "é" has characters other than letters, digits, "-" and "_"
                f:3:1: error: the stage name is empty
                f:5:1: error: two stages are named "ok_1-x"; the first is in line 4
                f:7:1: error: the stage name "v[a=]" has characters other than letters, digits, "-" and "_"
                """)
        #expect(mistakes([]) == "error: the pipeline has no stages")
    }

    @Test func aPipelineBuiltInCodeNeedsNoPlaces() {
        let stages = [StageDraft(name: Located("a"), uses: Located("sourc"))]
        #expect(
            mistakes(stages)
                == "error: unknown stage type \"sourc\"; did you mean \"source\"? "
                + "Stage types: source, copy, merge, knobs, strict, gather")
    }

    @Test func aLongChainWrittenBackwardsIsOrdered() throws {
        let count = 20_000
        let chain = (1...count).reversed().map { index in
            stage("n\(index)", "copy", [index == 1 ? "in: s.letters" : "in: n\(index - 1)"], line: index)
        }
        let pipeline = try draft(chain + [stage("s", "source", line: count + 1)]).validated(against: toys)
        #expect(pipeline.stages.map(\.name) == ["s"] + (1...count).map { "n\($0)" })
    }

    @Test func restrictingKeepsWhatTargetsDependOn() throws {
        let pipeline = try draft([
            stage("s", "source", line: 1), stage("a", "copy", ["in: s.letters"], line: 2),
            stage("b", "copy", ["in: a"], line: 3), stage("c", "copy", ["in: a"], line: 4),
        ]).validated(against: toys)
        let names = try pipeline.stageNames(matching: ["b"])
        #expect(pipeline.restricted(to: names).stages.map(\.name) == ["s", "a", "b"])
    }
}
