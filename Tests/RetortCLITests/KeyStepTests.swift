import CanonicalJSON
import Foundation
import Testing

/// What users see of key steps: the study of alignment methods, drawn pairs, and reports.
@Suite struct KeyStepTests {
    private let annotated = "pipelines/key-steps-annotated.yaml"

    private func rows(_ output: String) throws -> [JSON] {
        try output.split(separator: "\n").map { try JSON.parse(String($0)) }
    }

    @Test func generatedPairsAreHeldAgainstTheirMistakes() throws {
        let workplace = try Workplace()
        let arguments = ["pipelines/key-steps.yaml", "--set", "questions=240", "--set", "vocabulary=400"]
        let outcome = try workplace.retort(["run"] + arguments)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("# Key steps of generated pairs"))
        let rows = try rows(workplace.retort(["show", arguments[0], "study.agreement"] + arguments[1...]).output)
        // Three truths, all pairs and twelve tasks, seven methods.
        #expect(rows.count == 3 * 13 * 7)
        let mistakes = rows.filter { $0["truth"] == "the mistake" && $0["group"] == "all" }
        #expect(mistakes.count == 7)
        for row in mistakes {
            #expect(try #require(row["pairs"]?.integer) > 150)
            #expect(try #require(row["first_in_step"]?.double) > 0.9, "\(row)")
            #expect(try #require(row["found"]?.double) > 0.9, "\(row)")
        }
        // Whole steps hold every mistake, and much else.
        let steps = try #require(mistakes.first { $0["method"] == "minimal steps" })
        #expect(steps["recall"] == 1)
        #expect(try #require(steps["precision"]?.double) < 0.5)
    }

    private let pair = #"""
        {"id":"p","task":"sum","question":"1 + 1?","answer":"2","correct_cot":"It is 2. Therefore, the answer is 2.",\#
        "wrong_cot":"It is 3. Therefore, the answer is 3."
        """#

    @Test func annotatedPairsAreHeldAgainstTheirAnnotations() throws {
        let workplace = try Workplace()
        let unmarked = pair.replacingOccurrences(of: #""id":"p""#, with: #""id":"q""#) + "}\n"
        try workplace.write(pair + #","mistakes":[{"start":6,"end":7}]}"# + "\n" + unmarked, to: "pairs.jsonl")
        let set = ["--set", "pairs=\(workplace.folder.path)/pairs.jsonl"]
        let outcome = try workplace.retort(["run", annotated, "--format", "json"] + set)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try outcome.stage("study")["dropped"] == ["no-known-mistake": 1])
        let rows = try rows(workplace.retort(["show", annotated, "study.agreement"] + set).output)
        let row = try #require(rows.first { $0["id"] == "the mistake/all/minimal tokens" })
        #expect(row["pairs"] == 1 && row["recall"] == 1 && row["precision"] == 0.5 && row["first_within"] == 1)
    }

    @Test func anAnnotationOutsideItsTextIsNamed() throws {
        let workplace = try Workplace()
        try workplace.write(pair + #","mistakes":[{"start":6,"end":70}]}"# + "\n", to: "pairs.jsonl")
        let outcome = try workplace.retort("run", annotated, "--set", "pairs=\(workplace.folder.path)/pairs.jsonl")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains(
                "pairs.jsonl:1: field \"mistakes[0]\" spans bytes 6 to 70 of a rationale of 36 bytes"),
            "\(outcome.errors)")
    }

    @Test func pairsAreDrawnFromTheStoreAndInTheReport() throws {
        let workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: drawn
            stages:
              questions: { uses: synthetic-tasks, with: { count: 40, levels: [1], families: [web_of_lies] } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: prompts/cot-extraction.txt, teacher: { kind: synthetic, error-rate: 0.9 } }
              rectified:
                uses: rectification
                inputs: { wrong: cots.wrong }
                with: { prompt: prompts/answer-hint.txt, teacher: { kind: synthetic } }
              duals: { uses: dual-filtering, inputs: { correct: cots.correct, wrong: cots.wrong, rectified: rectified } }
              tokenizer: { uses: tokenizer-training, inputs: { cots: rectified }, with: { vocabulary-size: 300 } }
              pairs: { uses: alignment, inputs: { duals: duals, tokenizer: tokenizer } }
              key-steps: { uses: key-steps, inputs: { alignments: pairs.alignments } }
              report: { uses: report, inputs: { key-steps: key-steps, alignments: pairs.alignments } }

            """, to: "pipelines/drawn.yaml")
        let file = "pipelines/drawn.yaml"
        let outcome = try workplace.retort("run", file)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let drawn = try workplace.retort("show", file, "pairs.alignments", "--draw", "--limit", "2").output
        let lines = drawn.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 11 && lines[4] == "" && lines[9] == "")
        #expect(lines[0].hasSuffix(" of \"web_of_lies\", wrong-first"), "\(lines[0])")
        #expect(lines[1].hasPrefix("right: ") && lines[1].contains("{+") && lines[1].contains("+}"))
        #expect(lines[2].hasPrefix("wrong: ") && lines[2].contains("[-") && lines[2].contains("-]"))
        #expect(lines[3].hasPrefix("distance ") && lines[3].hasSuffix(" tokens are key steps"))
        let records = try rows(workplace.retort("show", file, "pairs.alignments", "--limit", "3").output)
        #expect(records.count == 3)
        #expect(records.allSatisfy { $0["segment_count"]?.integer == $0["segments"]?.array?.count })
        let tokens = try workplace.retort("show", file, "pairs.pairs", "--limit", "1").output
        #expect(tokens.split(separator: "\n").count == 1)

        let report = { try workplace.retort("show", file, "report", "--path", $0).output }
        #expect(try report("report.md").contains("## Some pairs"))
        let page = try report("report.html")
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("<ins>") && page.contains("<del>"))
        #expect(page.contains("<td>origin:wrong-first</td>") && page.contains("<td>task:web_of_lies</td>"))

        let other = try workplace.retort("show", file, "duals", "--draw")
        #expect(other.status == 2)
        #expect(
            other.errors == "error: duals holds dual-pairs/1; --draw needs aligned pairs, such as the output "
                + "alignments of the stage alignment\n")
    }
}
