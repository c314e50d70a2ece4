import CanonicalJSON
import Reasoning
import TestData
import Testing

/// The verifier against verdicts that others published with their chains of thought.
@Suite struct PublishedVerdictTests {
    static let davinci = "data/bbh-teacher-davinci.jsonl.zst"
    static let gsm8k = "data/gsm8k-teacher-gpt3.jsonl.zst"
    static let pairs = "data/natural-dual-pairs-dev.jsonl.zst"

    /// Right and wrong by task, as published with BIG-Bench Hard.
    static let table: [String: [Int]] = [
        "boolean_expressions": [232, 18], "causal_judgement": [101, 86], "date_understanding": [218, 32],
        "disambiguation_qa": [190, 60], "dyck_languages": [142, 108], "formal_fallacies": [126, 124],
        "geometric_shapes": [136, 114], "hyperbaton": [166, 84], "logical_deduction_three_objects": [219, 31],
        "logical_deduction_five_objects": [137, 113], "logical_deduction_seven_objects": [97, 153],
        "movie_recommendation": [226, 24], "multistep_arithmetic_two": [119, 131], "navigate": [241, 9],
        "object_counting": [233, 17], "penguins_in_a_table": [116, 30], "reasoning_about_colored_objects": [229, 21],
        "ruin_names": [171, 79], "salient_translation_error_detection": [152, 98], "snarks": [106, 72],
        "sports_understanding": [244, 6], "temporal_sequences": [242, 8],
        "tracking_shuffled_objects_three_objects": [196, 54], "tracking_shuffled_objects_five_objects": [224, 26],
        "tracking_shuffled_objects_seven_objects": [214, 36], "web_of_lies": [238, 12], "word_sorting": [101, 149],
    ]

    @Test(.enabled(if: SharedData.exists(davinci), "needs ../shared/\(davinci)"))
    func davinciOnBBHGivesThePublishedTable() throws {
        var counts: [String: [Int]] = [:]
        var unparsed: [String: Int] = [:]
        for record in try SharedData.records(Self.davinci) {
            let task = try record.string("task")
            let verdict = AnswerVerifier.verify(try record.string("cot"), gold: try record.string("answer"))
            counts[task, default: [0, 0]][verdict.correct ? 0 : 1] += 1
            if verdict.predicted == nil { unparsed[task, default: 0] += 1 }
            let (id, correct) = (try record.string("id"), try record.bool("correct"))
            #expect(verdict.correct == correct, "\(id)")
        }
        #expect(counts == Self.table)
        #expect(counts.values.reduce(0) { $0 + $1[0] } == 4816)
        #expect(counts.values.reduce(0) { $0 + $1[1] } == 1695)
        #expect(unparsed.values.reduce(0, +) == 236)
        #expect(unparsed["word_sorting"] == 146)
    }

    @Test(.enabled(if: SharedData.exists(gsm8k), "needs ../shared/\(gsm8k)"))
    func gsm8kVerdictsAgreeOnEveryRecord() throws {
        for record in try SharedData.records(Self.gsm8k) {
            let verdict = AnswerVerifier.verify(try record.string("cot"), gold: try record.string("answer"))
            let (id, published) = (try record.string("id"), try record.optionalString("predicted"))
            let correct = try record.bool("correct")
            #expect(verdict.correct == correct, "\(id)")
            #expect((verdict.predicted == nil) == (published == nil), "\(id)")
        }
    }

    /// The source `gpt35-sampled` seldom states its answer in a conclusion; what it does not state is not guessed.
    @Test(.enabled(if: SharedData.exists(pairs), "needs ../shared/\(pairs)"))
    func naturalPairsConcludeRightAndWrong() throws {
        var disagreements: Set<String> = []
        for record in try SharedData.records(Self.pairs) {
            let gold = record["answer"]?.string ?? record["answer"]?.canonicalText ?? ""
            let right = AnswerVerifier.verify(try record.string("correct_cot"), gold: gold)
            let wrong = AnswerVerifier.verify(try record.string("wrong_cot"), gold: gold)
            #expect(!wrong.correct)
            if try record.string("source") != "gpt35-sampled", !right.correct || wrong.predicted == nil {
                disagreements.insert(try record.string("id"))
            }
        }
        // Two "right" conclusions name no option ("neither (A) nor (B)", "none of them"); one wrong one is empty.
        #expect(
            disagreements == [
                "ndp-gpt35-bbh-hyperbaton-017", "ndp-gpt35-bbh-ruin_names-052",
                "ndp-cross-bbh-bbh-dyck_languages-104",
            ])
    }
}
