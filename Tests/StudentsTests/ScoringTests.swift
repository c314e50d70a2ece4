import CanonicalJSON
import StudentJobs
import Testing

@testable import Students

/// Scoring jobs, from JSON Lines to JSON Lines.
@Suite struct ScoringTests {
    private let scratch = ScratchDirectory()

    private func score(_ lines: String, checkpoint: String, maxTokens: Int = 8192) throws -> [JSON] {
        let input = try scratch.write("input.jsonl", Array(lines.utf8))
        let job = ScoringJob(
            checkpoint: checkpoint, input: input, output: "\(scratch.path)/output.jsonl", maxTokens: maxTokens)
        try JobRunner(report: { _ in }, clock: { 0 }).run(.score(job))
        return try FileSystem.read(job.output).split(separator: UInt8(ascii: "\n")).map { try JSON.parse($0) }
    }

    private func checkpoint() throws -> String {
        let directory = "\(scratch.path)/checkpoint"
        try Checkpoint.write(
            .random(DecoderConfiguration(Samples.configuration), seed: 4),
            configuration: Samples.configuration.json.object!, tokenizer: nil, to: directory)
        return directory
    }

    @Test("NLLs equal those of transformers", .needsGoldens, arguments: Goldens.checkpoints)
    func goldens(name: String) throws {
        let golden = try GoldenBatch(name)
        let lines = golden.records.map { record -> String in
            JSON.object(
                JSONObject([
                    ("id", .string(record.id)), ("prompt_ids", .array(record.prompt.map { .integer(Int64($0)) })),
                    ("completion_ids", .array(record.completion.map { .integer(Int64($0)) })),
                ])
            ).canonicalText
        }
        let output = try score(
            lines.joined(separator: "\n"), checkpoint: "\(Goldens.directory)/checkpoints/\(name)")
        #expect(output.map { $0["id"]?.string } == golden.records.map(\.id))
        for (index, record) in golden.records.enumerated() {
            let nll = try #require(output[index]["nll"]?.array).compactMap(\.double)
            let expected = golden.nll[index].dropFirst(record.prompt.count).prefix(record.completion.count)
            #expect(zip(nll, expected).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })
            #expect(nll.count == record.completion.count)
            let mean = try #require(output[index]["mean"]?.double)
            #expect(abs(mean - expected.reduce(0, +) / Double(expected.count)) < 1e-5 * mean)
        }
    }

    @Test func weightsGiveTheLossesOfBothNormalisations() throws {
        let output = try score(
            #"{"prompt_ids":[2,3],"completion_ids":[4,5,1],"weights":[0,1,-0.5]}"# + "\n\n"
                + #"{"prompt_ids":[2],"completion_ids":[7]}"#,
            checkpoint: checkpoint())
        let nll = try #require(output[0]["nll"]?.array).compactMap(\.double)
        #expect(output[0]["tokens"] == 3)
        #expect(output[0]["weighted_sum"]?.double == nll[1] - 0.5 * nll[2])
        #expect(output[0]["weighted_mean"]?.double == (nll[1] - 0.5 * nll[2]) / 3)
        #expect(output[0]["loss"] == output[0]["weighted_mean"])
        #expect(output[0]["id"] == nil)
        #expect(output[1]["loss"] == output[1]["mean"])
        #expect(output[1]["weighted_sum"] == nil)
        #expect(output[1]["sum"]?.double == output[1]["nll"]?.array?[0].double)
    }

    @Test func theSizeOfABatchChangesNothingButRounding() throws {
        let checkpoint = try checkpoint()
        let lines = (0..<12).map { #"{"prompt_ids":[2,\#($0 + 3)],"completion_ids":[\#($0 + 4),9,\#($0 % 5),1]}"# }
            .joined(separator: "\n")
        let whole = try score(lines, checkpoint: checkpoint)
        let single = try score(lines, checkpoint: checkpoint, maxTokens: 1)
        for (a, b) in zip(whole, single) {
            #expect(largestDifference(a["nll"]!.array!.map { $0.double! }, b["nll"]!.array!.map { $0.double! }) < 1e-5)
        }
        #expect(whole.count == 12 && single.count == 12)
    }

    @Test(arguments: [
        (#"{"prompt_ids":[2]"#, "input.jsonl:1:18: expected \",\" or \"}\""),
        (
            #"{"prompt_ids":[2],"completion_ids":[3],"weights":[1,2]}"#,
            "input.jsonl:1: field \"weights\" has 2 numbers for 1 completion tokens; give one a token"
        ),
        (
            #"{"prompt_ids":[],"completion_ids":[3]}"#,
            "input.jsonl:1: the prompt is empty, so nothing predicts the first completion token"
        ),
        (#"{"prompt_ids":[3],"completion_ids":[]}"#, "input.jsonl:1: the completion is empty"),
        (
            #"{"prompt_ids":[3],"completion_ids":[99999]}"#,
            "input.jsonl:1: the token 99999 is outside the model's vocabulary of \(Samples.configuration.vocabSize)"
        ),
        (
            #"{"prompt":"a","completion_ids":[1]}"#,
            "input.jsonl:1: field \"prompt\" and \"completion\" should be there, or \"prompt_ids\" and "
                + "\"completion_ids\", and not both"
        ),
        (
            #"{"prompt":"a","completion":"b"}"#, "tokenizer.json: cannot be opened: No such file or directory"
        ),
        (
            "{\"prompt_ids\":[\(Array(repeating: "2", count: Samples.configuration.maxPositions).joined(separator: ","))],"
                + "\"completion_ids\":[1]}",
            "input.jsonl:1: is \(Samples.configuration.maxPositions + 1) tokens long, the model has "
                + "\(Samples.configuration.maxPositions) positions"
        ),
        ("\n", "input.jsonl: has no lines to score"),
    ])
    func aBadLineIsNamed(line: String, message: String) throws {
        let checkpoint = try checkpoint()
        do {
            _ = try score(line, checkpoint: checkpoint)
            Issue.record("was scored")
        } catch {
            #expect("\(error)".hasSuffix(message), "\(error)")
        }
    }
}
