import CanonicalJSON
import Foundation
import Testing

@Suite struct AlignCommandTests {
    private let workplace = try! Workplace()

    private func align(_ options: [String] = [], _ lines: String...) throws -> Program.Outcome {
        try workplace.retort(["align"] + options, input: lines.joined(separator: "\n"))
    }

    @Test func idsAreAligned() throws {
        let outcome = try align([], #"{"id":"p","correct_ids":[1,2,3],"wrong_ids":[1,9,9,3]}"#)
        #expect(
            outcome.output
                == #"{"correct_mask":[0,1,0],"distance":2,"id":"p","key_share":0.42857142857142855,"#
                + #""segment_count":1,"segments":[{"correct_tokens":[1,2],"op":"replace","wrong_tokens":[1,3]}],"wrong_mask":[0,1,1,0]}"#
                + "\n")
        #expect(outcome.status == 0 && outcome.errors.isEmpty)
    }

    @Test func withoutATokenizerWordsOfTextsAreAligned() throws {
        let json = try JSON.parse(
            align([], #"{"correct_cot":"It is é 4.","wrong_cot":"It is é 51."}"#).output)
        #expect(json["correct_mask"] == [0, 0, 0, 1, 0] && json["distance"] == 1)
        #expect(json["segments"]?.array?[0]["correct"] == [8, 10] && json["segments"]?.array?[0]["wrong"] == [8, 11])
    }

    @Test func emptyAndEqualSides() throws {
        let outcome = try align(
            [], #"{"correct_cot":"","wrong_cot":""}"#, #"{"correct_ids":[],"wrong_ids":[1]}"#,
            #"{"correct_cot":"same","wrong_cot":"same"}"#)
        let rows = try outcome.output.split(separator: "\n").map { try JSON.parse(String($0)) }
        #expect(rows.map { $0["distance"] } == [0, 1, 0])
        #expect(rows[1]["segments"]?.array?[0]["op"] == "delete" && rows[0]["key_share"] == 0)
    }

    @Test func modesAndGranularities() throws {
        // Under ties the published code's two walks disagree.
        let pair = #"{"correct_ids":[1,2,1],"wrong_ids":[2,1,2]}"#
        let reference = try JSON.parse(align(["--mode", "reference"], pair).output)
        #expect(reference["correct_mask"] == [0, 0, 1] && reference["wrong_mask"] == [0, 0, 1])
        let texts = #"{"correct_cot":"One two. Six.","wrong_cot":"One ten. Six."}"#
        #expect(
            try JSON.parse(align(["--granularity", "steps"], texts).output)["correct_mask"] == [1, 1, 1, 0, 0])
        #expect(try align(["--mode", "reference", "--widen"], pair).status == 2)
        #expect(
            try align(["--widen"], pair).errors
                == "error: standard input:1: token ids have no words or steps; give correct_cot and wrong_cot instead\n"
        )
    }

    @Test func pairsAreDrawn() throws {
        #expect(
            try align(["--color"], #"{"id":"p","correct_cot":"is 4","wrong_cot":"is 5"}"#).output
                == "\"p\"\nright: is\u{1B}[1;32m 4\u{1B}[0m\n".replacing("is\u{1B}[1;32m ", with: "is \u{1B}[1;32m")
                + "wrong: is \u{1B}[1;31m5\u{1B}[0m\ndistance 1, 1 segments\n\n")
    }

    @Test(arguments: [
        ("[]", "should be an object, found an array"),
        (
            #"{"correct_cot":"a"}"#,
            "has no wrong_cot; a pair has correct_cot and wrong_cot, or correct_ids and wrong_ids"
        ),
        (#"{"correct_cot":"a","wrong_cot":1}"#, "wrong_cot should be a string, found an integer"),
        (#"{"correct_ids":[1],"wrong_ids":["x"]}"#, "\"x\" is not a token id"),
        (#"{"correct_ids":[1],"wrong_ids":{"wrong_ids":[]}}"#, "wrong_ids should be a list of ids, found an object"),
    ]) func aBadPairIsNamed(_ line: String, _ message: String) throws {
        let outcome = try align([], #"{"correct_ids":[],"wrong_ids":[]}"#, line)
        #expect(outcome.errors == "error: standard input:2: \(message)\n")
        #expect(outcome.status == 1 && outcome.output.split(separator: "\n").count == 1)
    }
}
