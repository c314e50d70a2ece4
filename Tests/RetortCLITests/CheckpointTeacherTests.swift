import CanonicalJSON
import Foundation
import Testing

/// A checkpoint on this machine as the teacher of a pipeline, through the real programs.
@Suite struct CheckpointTeacherTests {
    private static let questions = 24

    /// A folder with a tiny trained checkpoint `teacher/` and questions to ask it, made by a pipeline of its own.
    private func scene() throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write(
            #"{"model_type":"llama","hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,"#
                + #""num_attention_heads":4,"num_key_value_heads":2,"max_position_embeddings":1024}"#,
            to: "shape/config.json")
        try workplace.write("{question}\n", to: "prompt.txt")
        try workplace.write(
            """
            retort: 1
            name: made
            stages:
              questions: { uses: synthetic-tasks, with: { count: \(Self.questions), seed: 3 } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with: { prompt: prompt.txt, teacher: { kind: synthetic, error-rate: 0 } }
              start: { uses: import-checkpoint, with: { path: shape } }
              tokenizer:
                uses: tokenizer-training
                inputs: { cots: cots.correct, tokenizer: start.tokenizer }
                with: { vocabulary-size: 300 }
              tokens: { uses: tokenization, inputs: { cots: cots.correct, tokenizer: tokenizer } }
              student:
                uses: sft
                inputs: { tokens: tokens, tokenizer: tokenizer, checkpoint: start.checkpoint }
                with: { epochs: 1, batch-size: 24 }
            """, to: "made.yaml")
        let made = try workplace.retort("run", "made.yaml", "--store", "made")
        #expect(made.status == 0, "\(made.errors)")
        for (output, place) in [("student.checkpoint", "teacher"), ("questions", "questions.jsonl")] {
            let copied = try workplace.retort("export", "made.yaml", output, place, "--store", "made")
            #expect(copied.status == 0, "\(copied.errors)")
        }
        return workplace
    }

    private func write(
        _ workplace: Workplace, path: String = "teacher", teacher: String = "format: text", sampling: String = "",
        shardRecords: Int = 512
    ) throws {
        try workplace.write(
            """
            retort: 1
            name: asked
            stages:
              questions: { uses: import-questions, with: { path: questions.jsonl, shard-records: \(shardRecords) } }
              cots:
                uses: teacher-sampling
                inputs: { questions: questions }
                with:
                  prompt: prompt.txt
                  teacher: { kind: checkpoint, path: \(path), \(teacher) }
                  max-tokens: 6
                  \(sampling.isEmpty ? "temperature: 0" : sampling)
            """, to: "asked.yaml")
    }

    /// The summary's row of the stage that asks.
    private func run(_ workplace: Workplace, store: String = "artifacts") throws -> JSON {
        let outcome = try workplace.retort("run", "asked.yaml", "--format", "json", "--store", store)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try outcome.stage("cots")
    }

    private func answers(_ workplace: Workplace, store: String = "artifacts") throws -> String {
        try ["correct", "wrong"].map {
            try workplace.retort("show", "asked.yaml", "cots.\($0)", "--store", store).output
        }.joined()
    }

    @Test func aCheckpointAnswersEachQuestionOnceWhereverItLies() throws {
        let workplace = try scene()
        try write(workplace)
        func planned() throws -> JSON {
            let plan = try JSON.parse(workplace.retort("plan", "asked.yaml", "--format", "json").output)
            return try #require(plan["teacher_calls"]?.array?.first)
        }
        let all = Self.questions
        #expect(try workplace.retort("run", "asked.yaml", "--target", "questions").status == 0)
        #expect(try planned()["calls"]?.integer == all)
        #expect(try planned()["exact"] == true)
        let first = try run(workplace)
        #expect(first["teacher_calls"]?.integer == all)
        #expect(first["records_out"]?.integer.map { $0 + (first["dropped"]?["empty-answer"]?.integer ?? 0) } == all)
        let given = try answers(workplace)
        #expect(given.contains(#""teacher":"checkpoint-"#))
        #expect(try run(workplace)["executed"] == 0)
        let ledger = try JSON.parse(workplace.retort("ledger", "stats", "--format", "json").output)
        let tokens = try #require(ledger["total"])
        #expect(tokens["calls"]?.integer == all)
        #expect(try #require(tokens["prompt_tokens"]?.integer) > all)
        #expect((1...6 * all).contains(try #require(tokens["completion_tokens"]?.integer)))

        // Elsewhere, beside a file that is no part of the model.
        let manager = FileManager.default
        try manager.moveItem(
            at: workplace.folder.appendingPathComponent("teacher"),
            to: workplace.folder.appendingPathComponent("moved"))
        try write(workplace, path: "moved")
        #expect(try run(workplace)["executed"] == 0)
        try workplace.write("A teacher.\n", to: "moved/README.md")
        #expect(try planned()["answered"]?.integer == all)
        let again = try run(workplace)
        #expect(again["teacher_calls"] == 0)
        #expect(again["teacher_calls_saved"]?.integer == all)
        #expect(try answers(workplace) == given)
        #expect(!given.contains(workplace.folder.path))

        // Other weights are another teacher.
        let weights = workplace.folder.appendingPathComponent("moved/model.safetensors")
        var bytes = try Data(contentsOf: weights)
        bytes[bytes.count - 2] ^= 1
        try bytes.write(to: weights)
        #expect(try planned()["calls"]?.integer == all)
        #expect(try run(workplace)["teacher_calls"]?.integer == all)

        // Behind a stage that has to run first, too, only the shards that change are a matter for the ledger.
        try write(workplace, path: "moved", shardRecords: 8)
        _ = try run(workplace)
        let questions = try workplace.read("questions.jsonl")
        let start = try #require(questions.range(of: #""question":""#)?.upperBound)
        try workplace.write(questions[..<start] + "Now: " + questions[start...], to: "questions.jsonl")
        let foreseen = try planned()
        #expect(foreseen["calls"] == 1)
        #expect((0..<8).contains(try #require(foreseen["answered"]?.integer)))
        let last = try run(workplace)
        #expect(last["executed"] == 1 && last["teacher_calls"] == 1)
        #expect(last["teacher_calls_saved"] == foreseen["answered"])
    }

    @Test func drawnAnswersAreTheSameInAnotherStoreAndOtherSeedsGiveOthers() throws {
        let workplace = try scene()
        try write(workplace, sampling: "temperature: 1")
        _ = try run(workplace)
        try write(workplace, teacher: "format: text, batch-size: 3", sampling: "temperature: 1")
        _ = try run(workplace, store: "other")
        let drawn = try answers(workplace)
        #expect(try answers(workplace, store: "other") == drawn)
        try write(workplace, sampling: "temperature: 1\n      sampling-seed: 1")
        _ = try run(workplace)
        #expect(try answers(workplace) != drawn)
    }

    @Test func messagesGoThroughTheChatTemplate() throws {
        let workplace = try scene()
        try write(workplace)
        _ = try run(workplace)
        let plain = try answers(workplace)
        let template =
            "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}{% endfor %}<answer>"
        try workplace.write(template, to: "teacher/chat_template.jinja")
        try write(workplace, teacher: "format: chat")
        #expect(try run(workplace)["teacher_calls"]?.integer == Self.questions)
        #expect(try answers(workplace) != plain)
    }

    @Test func aFolderThatCannotTeachIsRefusedBeforeTheWorkerStarts() throws {
        let workplace = try scene()
        func problem(_ path: String, _ teacher: String) throws -> String {
            try write(workplace, path: path, teacher: teacher)
            let outcome = try workplace.retort("run", "asked.yaml")
            #expect(outcome.status == 1)
            return outcome.errors
        }
        let template = try problem("teacher", "format: chat")
        #expect(template.contains("has no chat template; write \"format: text\" in the teacher"), "\(template)")
        let weights = try problem("shape", "format: text")
        #expect(weights.contains("shape: has no weights; a teacher needs model.safetensors"), "\(weights)")
        try workplace.write("x", to: "pickled/pytorch_model.bin")
        try workplace.write("{}", to: "pickled/config.json")
        let pickle = try problem("pickled", "format: text")
        #expect(pickle.contains("pickled: has its weights in pytorch_model.bin, a pickle file"), "\(pickle)")
        try workplace.write(String(repeating: "one two three ", count: 2000) + "{question}", to: "prompt.txt")
        let long = try problem("teacher", "format: text")
        #expect(long.contains("the teacher teacher: "), "\(long)")
        #expect(long.contains("leaves no room in the model's 1024 positions"), "\(long)")
    }
}
