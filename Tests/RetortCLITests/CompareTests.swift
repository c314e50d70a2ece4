import CanonicalJSON
import Foundation
import Testing

/// `retort compare`, on a student and the one that it was after its first step.
@Suite struct CompareTests {
    private static let (poor, good) = ("answers[steps=1]", "answers[steps=60]")

    private func scene() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write(
            """
            retort: 1
            name: compared
            stages:
              questions:
                uses: synthetic-tasks
                with: { count: 160, seed: 3, families: [boolean_expressions], levels: [1] }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: pipelines/prompts/cot-extraction.txt, teacher: { kind: synthetic, error-rate: 0 } }
              recipe: { uses: cot-recipe, inputs: { cots: cots.correct }, with: { recipe: answer-only } }
              tokenizer: { uses: tokenizer-training, inputs: { cots: cots.correct }, with: { vocabulary-size: 300 } }
              tokens: { uses: example-tokenization, inputs: { examples: recipe, tokenizer: tokenizer } }
              student:
                uses: sft
                inputs: { tokens: tokens, tokenizer: tokenizer }
                matrix: { steps: [1, 60] }
                with:
                  epochs: 60
                  max-steps: ${matrix.steps}
                  batch-size: 32
                  learning-rate: 0.01
                  model: { hidden-size: 32, layers: 1, heads: 2, key-value-heads: 1, intermediate-size: 32 }
              answers:
                uses: generation
                inputs: { questions: questions, checkpoint: student.checkpoint }
                matrix: { steps: [1, 60] }
                with: { max-new-tokens: 24 }
            """, to: "compared.yaml")
        let run = try workplace.retort("run", "compared.yaml")
        #expect(run.status == 0, "\(run.errors)")
        return workplace
    }

    private func verdicts(_ workplace: Workplace, _ stage: String) throws -> [String: Bool] {
        let lines = try workplace.retort("show", "compared.yaml", stage).output.split(separator: "\n")
        return Dictionary(
            uniqueKeysWithValues: try lines.map { line in
                let record = try JSON.parse(String(line))
                return try (#require(record["id"]?.string), #require(record["correct"]?.bool))
            })
    }

    @Test func questionsAreComparedOneByOne() throws {
        let workplace = try scene()
        let (good, poor) = (try verdicts(workplace, Self.good), try verdicts(workplace, Self.poor))
        let both = Set(good.keys).intersection(poor.keys)
        let lost = both.filter { good[$0]! && !poor[$0]! }.sorted()
        let gained = both.filter { !good[$0]! && poor[$0]! }.sorted()
        #expect(lost.count > gained.count + 10)

        let compared = try workplace.retort("compare", "compared.yaml", Self.good, Self.poor, "--format", "json")
        #expect(compared.status == 0, "\(compared.errors)")
        let row = try #require(JSON.parse(compared.output)["rows"]?.array?.first)
        #expect(row["n"]?.integer == both.count)
        #expect(row["lost"]?.array?.compactMap(\.string) == lost)
        #expect(row["gained"]?.array?.compactMap(\.string) == gained)
        #expect(row["left_out"]?.integer == good.count + poor.count - 2 * both.count)
        #expect(try #require(row["p_value"]?.double) < 0.01)
        #expect(try #require(row["high"]?.double) < 0)
        let tasks = try #require(row["tasks"]?.object)
        #expect(tasks.members.map(\.key).sorted() == ["boolean_expressions"])
        #expect(tasks.members.reduce(0) { $0 + ($1.value["n"]?.integer ?? 0) } == both.count)

        let text = try workplace.retort("compare", "compared.yaml", Self.good, Self.poor, "--list").output
        #expect(text.hasPrefix("Against \(Self.good), on the questions that both answered:\n"))
        #expect(
            text.split(separator: "\n").filter { $0.hasPrefix("- \(Self.poor) ") }.map {
                String($0.dropFirst("- \(Self.poor) ".count))
            } == lost)

        let itself = try workplace.retort("compare", "compared.yaml", Self.good, Self.good, "--format", "json").output
        #expect(try JSON.parse(itself)["rows"]?.array?.first?["p_value"]?.double == 1)

        let refused = try workplace.retort("compare", "compared.yaml", Self.good, "questions")
        #expect(refused.status == 1)
        #expect(
            refused.errors == "error: questions holds questions/1, whose records have no verdict (\"correct\"); "
                + "compare the answers of generation stages\n")
        #expect(try workplace.retort("compare", "compared.yaml", Self.good).status == 2)
    }
}
