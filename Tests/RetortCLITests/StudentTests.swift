import CanonicalJSON
import Foundation
import Testing

/// Students through the real programs: imported, adapted, selected, and used from the command line.
@Suite struct StudentTests {
    private let pipeline = """
        retort: 1
        name: students
        stages:
          questions: { uses: synthetic-tasks, with: { count: 80, seed: 3, families: [boolean_expressions], levels: [1] } }
          split: { uses: split, inputs: { questions: questions }, with: { test-fraction: 0.2 } }
          cots:
            uses: teacher-sampling
            inputs: { questions: split.train }
            with: { prompt: pipelines/prompts/cot-extraction.txt, teacher: { kind: synthetic, error-rate: 0 } }
          start: { uses: import-checkpoint, with: { path: shape } }
          tokenizer:
            uses: tokenizer-training
            inputs: { cots: cots.correct, tokenizer: start.tokenizer }
            with: { vocabulary-size: 300 }
          tokens: { uses: tokenization, inputs: { cots: cots.correct, tokenizer: tokenizer } }
          first:
            uses: sft
            inputs: { tokens: tokens, tokenizer: tokenizer, checkpoint: start.checkpoint }
            with: { epochs: 1, batch-size: 16, lora: {} }
          adapted:
            uses: sft
            inputs: { tokens: tokens, tokenizer: tokenizer, checkpoint: first.checkpoint, selection: split.test }
            with:
              epochs: 2
              batch-size: 16
              lora: { rank: 2, alpha: 4, dropout: 0, targets: [q_proj, down_proj] }
              selection-max-new-tokens: 8
          answers: { uses: generation, inputs: { questions: split.test, checkpoint: start.checkpoint } }
        """

    private func students() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write(
            #"{"model_type":"llama","hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,"#
                + #""num_attention_heads":4,"num_key_value_heads":2,"max_position_embeddings":512}"#,
            to: "shape/config.json")
        try workplace.write(pipeline, to: "students.yaml")
        return workplace
    }

    @Test func anAdapterIsTrainedSelectedAndMerged() throws {
        let workplace = try students()
        let outcome = try workplace.retort("run", "students.yaml", "--format", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let files = try workplace.retort("show", "students.yaml", "adapted.checkpoint").output
        for name in ["adapter/adapter_config.json", "adapter/adapter_model.safetensors", "model.safetensors"] {
            #expect(files.contains(" \(name)\n"), "\(name) is missing in \(files)")
        }
        // Weights that begin at random are trained whole.
        #expect(try !workplace.retort("show", "students.yaml", "first.checkpoint").output.contains("adapter"))
        let adapter = try JSON.parse(
            workplace.retort(
                "show", "students.yaml", "adapted.checkpoint", "--path", "adapter/adapter_config.json"
            ).output)
        #expect(adapter["r"] == 2)
        #expect(adapter["target_modules"] == ["q_proj", "down_proj"])
        let log = try workplace.retort("show", "students.yaml", "adapted.log").output.split(separator: "\n").map {
            try JSON.parse(String($0))
        }
        let epochs = log.filter { $0["id"]!.string!.hasPrefix("epoch-") }
        #expect(epochs.map { $0["epoch"]?.integer } == [1, 2])
        #expect(epochs.filter { $0["chosen"] == true }.count == 1)
        #expect(epochs.allSatisfy { $0["questions"]!.integer! > 0 })
        #expect(log.contains { $0["id"] == "step-0000001" })
        // A shape without weights answers nothing, and says so question by question.
        let answers = try workplace.retort("show", "students.yaml", "answers").output.split(separator: "\n")
        #expect(!answers.isEmpty && answers.allSatisfy { $0.contains(#""correct":false"#) })
    }

    @Test(arguments: [
        ([("pytorch_model.bin", "x"), ("config.json", "{}")], "pytorch_model.bin, a pickle file"),
        ([("README.md", "x")], "has no config.json; a checkpoint is a Hugging Face directory"),
        ([("config.json", "{}"), ("model.safetensors", "x")], "has no tokenizer.json"),
    ])
    func aFolderThatIsNoCheckpointIsRefused(files: [(String, String)], message: String) throws {
        let workplace = try Workplace()
        for (name, text) in files { try workplace.write(text, to: "student/\(name)") }
        try workplace.write(
            "retort: 1\nname: s\nstages:\n  start: { uses: import-checkpoint, with: { path: student } }\n", to: "s.yaml"
        )
        let outcome = try workplace.retort("run", "s.yaml")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }

    static let goldens: URL? = {
        let folder = Program.packageRoot.deletingLastPathComponent().appendingPathComponent("shared/goldens")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    @Test(.enabled(if: goldens != nil, "reference values of the Hugging Face stack are not at ../shared/goldens"))
    func scoringGeneratingAndMergingAgree() throws {
        let goldens = Self.goldens!
        let base = goldens.appendingPathComponent("checkpoints/llama_gqa_untied").path
        let adapter = goldens.appendingPathComponent("lora/llama_qv").path
        let workplace = try Workplace()
        try workplace.write(#"{"prompt_ids":[5,6,7],"completion_ids":[8,9,10,11]}"#, to: "lines.jsonl")
        func nll(_ arguments: String...) throws -> [Double] {
            let outcome = try workplace.retort(["score", "lines.jsonl"] + arguments)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try #require(try JSON.parse(outcome.output)["nll"]?.array).compactMap(\.double)
        }
        let plain = try nll("--checkpoint", base)
        let adapted = try nll("--checkpoint", base, "--adapter", adapter)
        #expect(plain.count == 4 && plain != adapted)
        let merge = try workplace.retort(
            "checkpoint", "merge", "--checkpoint", base, "--adapter", adapter, "-o", "merged")
        #expect(merge.status == 0, "\(merge.errors)")
        let merged = try nll("--checkpoint", "merged")
        #expect(zip(merged, adapted).allSatisfy { abs($0 - $1) < 1e-5 })

        try workplace.write(#"{"prompt_ids":[5,6,7]}"# + "\n" + #"{"id":"x","prompt_ids":[5]}"#, to: "prompts.jsonl")
        let outcome = try workplace.retort(
            "generate", "prompts.jsonl", "--checkpoint", "merged", "--max-new-tokens", "5", "-n", "2", "--temperature",
            "1", "--seed", "3")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try outcome.output.split(separator: "\n").map { try JSON.parse(String($0)) }
        #expect(lines.map { $0["id"]?.string } == ["1", "1", "x", "x"])
        #expect(lines.map { $0["sample"]?.integer } == [0, 1, 0, 1])
        let mistaken = try workplace.retort(
            ["score", "--checkpoint", base], input: #"{"prompt_ids":[5],"completion_ids":[]}"#)
        #expect(mistaken.status == 1)
        #expect(mistaken.errors == "error: standard input:1: the completion is empty\n")
        let inspected = try JSON.parse(workplace.retort("checkpoint", "inspect", adapter, "--format", "json").output)
        #expect(inspected["kind"] == "adapter" && inspected["rank"] == 8)
    }

    @Test(arguments: [
        (["generate", "--checkpoint", "x", "--top-p", "0"], "--top-p takes a number above 0 and up to 1"),
        (["score", "--checkpoint", "x", "--max-batch-tokens", "0"], "--max-batch-tokens takes a number of at least 1"),
        (["checkpoint", "convert", "--checkpoint", "x", "-o", "y", "--shard-size", "0G"], "--shard-size"),
    ])
    func aMistakeInTheCommandLineIsNamed(arguments: [String], message: String) throws {
        let outcome = try Workplace().retort(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
}
