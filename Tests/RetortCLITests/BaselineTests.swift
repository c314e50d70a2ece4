import CanonicalJSON
import Foundation
import Testing

/// The baselines as data recipes, through the real programs.
@Suite struct BaselineTests {
    private func records(_ workplace: Workplace, _ file: String, _ reference: String) throws -> [JSON] {
        let outcome = try workplace.retort("show", file, reference)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { try JSON.parse(String($0)) }
    }

    /// Two questions with their chains of thought, recorded, and a pair.
    private func workplace(_ stages: String) throws -> Workplace {
        let workplace = try Workplace()
        let rows = [
            #"{"id":"a","task":"t","question":"1 + 1?","answer":"2","cot":"One and one.\nSo the answer is 2."}"#,
            #"{"id":"b","task":"t","question":"2 + 2?","answer":"4","cot":"Therefore, the answer is 4."}"#,
            #"{"id":"c","task":"t","question":"3 + 3?","answer":"6","cot":"Hm. The answer is 7."}"#,
        ]
        try workplace.write(rows.joined(separator: "\n"), to: "rows.jsonl")
        let pair =
            #"{"id":"a","task":"t","question":"1 + 1?","answer":"2","correct_cot":"1 + 1 = 2. The answer is 2.","#
            + #""wrong_cot":"1 + 1 = 3. The answer is 3."}"#
        try workplace.write(pair, to: "pairs.jsonl")
        try workplace.write("{question}", to: "prompt.txt")
        try workplace.write(
            """
            retort: 1
            name: recipes
            stages:
              questions: { uses: import-questions, with: { path: rows.jsonl } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: pipelines/prompts/cot-extraction.txt, teacher: { kind: recorded, path: rows.jsonl } }
              pairs: { uses: import-pairs, with: { path: pairs.jsonl } }

            """ + stages, to: "recipes.yaml")
        return workplace
    }

    @Test func recipesOfOneChainOfThought() throws {
        let workplace = try workplace(
            """
              recipe:
                uses: cot-recipe
                matrix: { kind: [std-cot, answer-only, multi-task, step-by-step] }
                inputs: { cots: [cots.correct, cots.wrong] }
                with: { recipe: "${matrix.kind}", rationale-weight: 0.5 }
            """)
        let outcome = try workplace.retort("run", "recipes.yaml", "--format", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        func completions(_ kind: String) throws -> [String: String] {
            Dictionary(
                uniqueKeysWithValues: try records(workplace, "recipes.yaml", "recipe[kind=\(kind)]").map {
                    ($0["id"]!.string!, $0["question"]!.string! + " -> " + $0["completion"]!.string!)
                })
        }
        #expect(
            try completions("std-cot") == [
                "a": "1 + 1? -> One and one.\nSo the answer is 2.", "b": "2 + 2? -> Therefore, the answer is 4.",
            ])
        #expect(
            try completions("answer-only") == [
                "a": "1 + 1? -> Therefore, the answer is 2.", "b": "2 + 2? -> Therefore, the answer is 4.",
            ])
        #expect(
            try completions("multi-task") == [
                "a#answer": "[label] 1 + 1? -> Therefore, the answer is 2.",
                "a#rationale": "[rationale] 1 + 1? -> One and one.\nSo the answer is 2.",
                "b#answer": "[label] 2 + 2? -> Therefore, the answer is 4.",
                "b#rationale": "[rationale] 2 + 2? -> Therefore, the answer is 4.",
            ])
        #expect(
            try completions("step-by-step") == [
                "a#answer": "[label] 1 + 1? -> Therefore, the answer is 2.",
                "a#rationale": "[rationale] 1 + 1? -> One and one.",
            ])
        let weights = try records(workplace, "recipes.yaml", "recipe[kind=step-by-step]").map { $0["weight"]?.double }
        #expect(weights.sorted { ($0 ?? 1) < ($1 ?? 1) } == [0.5, nil])
        let stage = try outcome.stage("recipe[kind=step-by-step]")
        #expect(stage["records_in"] == 3 && stage["records_out"] == 1)
        #expect(stage["dropped"] == ["no-reasoning": 1, "wrong": 1])
    }

    @Test func recipesOfDualChainsOfThoughtMaskWhatIsGiven() throws {
        let workplace = try workplace(
            """
              recipe:
                uses: dual-recipe
                matrix: { kind: [marked, scott] }
                inputs: { duals: pairs }
                with: { recipe: "${matrix.kind}" }
              tokenizer: { uses: tokenizer-training, inputs: { cots: cots.correct }, with: { vocabulary-size: 260 } }
              tokens:
                uses: example-tokenization
                matrix: { kind: [marked, scott] }
                inputs: { examples: recipe, tokenizer: tokenizer }
            """)
        let outcome = try workplace.retort("run", "recipes.yaml", "--format", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let marked = try records(workplace, "recipes.yaml", "recipe[kind=marked]")
        #expect(marked.map { $0["id"]?.string } == ["a#right", "a#wrong"])
        #expect(marked[0]["question"] == "1 + 1?" && marked[0]["completion"] == "1 + 1 = 2. The answer is 2.")
        #expect(marked[1]["question"] == "[Counterfactual Reasoning] 1 + 1?")
        #expect(marked[1]["completion"] == "1 + 1 = 3. The answer is 3.")
        let scott = try records(workplace, "recipes.yaml", "recipe[kind=scott]")
        #expect(scott[1]["given"] == "1 + 1 = 3." && scott[1]["completion"] == "The answer is 3.")
        // The given reasoning moves from what is learnt to what is masked.
        func tokens(_ kind: String) throws -> JSON {
            try #require(
                try records(workplace, "recipes.yaml", "tokens[kind=\(kind)]").first { $0["id"] == "a#wrong" })
        }
        let (whole, given) = (try tokens("marked"), try tokens("scott"))
        func count(_ record: JSON, _ key: String) -> Int { record[key]?.array?.count ?? 0 }
        #expect(count(given, "prompt_ids") > count(whole, "prompt_ids"))
        #expect(count(given, "completion_ids") < count(whole, "completion_ids"))
    }

    @Test func repeatedSamplesStopAtTheSizeOfThePairs() throws {
        let workplace = try workplace(
            """
              repeated:
                uses: repeated-samples
                matrix: { n: [3, 9] }
                inputs: { cots: [cots.correct, cots.correct] }
                with: { count: "${matrix.n}" }
              matched: { uses: repeated-samples, inputs: { cots: [cots.correct, cots.correct, cots.correct], match: pairs } }
            """)
        #expect(try workplace.retort("run", "recipes.yaml").status == 0)
        let three = try records(workplace, "recipes.yaml", "repeated[n=3]").map { $0["id"]!.string! }
        #expect(three.count == 3 && three.contains("a") && three.contains("b"))
        let all = try records(workplace, "recipes.yaml", "repeated[n=9]").map { $0["id"]!.string! }
        #expect(Set(all) == ["a", "b", "a#2", "b#2"])
        #expect(try records(workplace, "recipes.yaml", "matched").count == 2)
    }

    @Test func equalMarkersAreRefused() throws {
        let workplace = try workplace(
            """
              recipe:
                uses: cot-recipe
                inputs: { cots: cots.correct }
                with: { recipe: multi-task, answer-marker: "x ", rationale-marker: "x " }
            """)
        let outcome = try workplace.retort("run", "recipes.yaml")
        #expect(outcome.status == 2)
        #expect(
            outcome.errors.contains("so a student could not tell its tasks apart"), "\(outcome.errors)")
    }

    @Test func theShippedBaselinesRun() throws {
        let workplace = try Workplace()
        let settings = ["questions=150", "epochs=0.5", "hidden-size=32", "max-new-tokens=12"].flatMap { ["--set", $0] }
        let outcome = try workplace.retort(["run", "pipelines/baselines.yaml", "--format", "json"] + settings)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try workplace.retort(
            ["show", "pipelines/baselines.yaml", "report", "--path", "report.md"] + settings
        ).output
        for label in ["Std-CoT ", "MT-CoT", "SCOTT", "Step-by-step", "repeat sampling", "marked", "EDIT ", "DPO"] {
            #expect(report.contains(label), "\(label) is missing in \(report)")
        }
    }
}
