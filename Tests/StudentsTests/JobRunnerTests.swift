import CanonicalJSON
import Safetensors
import StudentJobs
import Testing

@testable import Students

/// Whole jobs, from shards on disk to checkpoints and generations.
@Suite struct JobRunnerTests {
    @discardableResult private func run(_ job: StudentJob) throws -> [WorkerEvent] {
        var events: [WorkerEvent] = []
        var time = 0.0
        let runner = JobRunner(
            report: { events.append($0) },
            clock: {
                time += 0.5
                return time
            })
        try runner.run(job)
        return events
    }

    private func training(
        _ scratch: ScratchDirectory, name: String, data: [String], objective: Objective = .sft,
        model: InitialModel = .random(Samples.configuration, seed: 1)
    ) -> TrainingJob {
        TrainingJob(
            model: model, data: data, objective: objective, optimizer: OptimizerSettings(learningRate: 5e-3),
            batch: BatchSettings(samples: 8), epochs: 2, seed: 3, output: "\(scratch.path)/\(name)",
            log: "\(scratch.path)/\(name).log")
    }

    private func shards(_ scratch: ScratchDirectory) throws -> [String] {
        let records = Samples.counting(20)
        return [
            try scratch.write("a.safetensors", TokenShard.encode(Array(records[..<7]))),
            try scratch.write("b.safetensors", TokenShard.encode(Array(records[7...]))),
        ]
    }

    @Test func trainingThenPairsThenGeneration() throws {
        let scratch = ScratchDirectory()
        let sft = training(scratch, name: "sft", data: try shards(scratch))
        let events = try run(.train(sft))
        #expect(events.count == 7)
        guard case .step(let first) = events[0], case .step(let last) = events[5], case .done(let summary) = events[6]
        else {
            Issue.record("other events: \(events)")
            return
        }
        #expect(first.step == 1 && first.steps == 6 && first.tokensPerSecond == Double(first.tokens) / 0.5)
        #expect(last.loss < first.loss)
        #expect(summary.output == sft.output && summary.steps == 6)

        let pairs = try scratch.write("pairs.safetensors", TokenPairShard.encode(Samples.pairs))
        let krsl = training(
            scratch, name: "krsl", data: [pairs], objective: .krsl(KRSLSettings()), model: .checkpoint(sft.output))
        #expect(try run(.train(krsl)).count == 3)

        let prompts = try scratch.write(
            "prompts.jsonl",
            Array((#"{"id":"z","prompt_ids":[2,11,3]}"# + "\n\n" + #"{"id":"a","prompt_ids":[2,12]}"#).utf8))
        let job = GenerationJob(
            checkpoint: krsl.output, prompts: prompts, output: "\(scratch.path)/out.jsonl", maxNewTokens: 4)
        guard case .done(let generated)? = (try run(.generate(job))).last else {
            Issue.record("did not end with done")
            return
        }
        let lines = try FileSystem.read(job.output).split(separator: UInt8(ascii: "\n"))
        let generations: [Generation] = try lines.map { try Generation(json: #require(JSON.parse($0).object)) }
        #expect(generations.map(\.id) == ["z", "a"])
        #expect(generations.reduce(0) { $0 + $1.tokens.count } == generated.tokens)
    }

    @Test func sameJobGivesTheSameBytes() throws {
        let scratch = ScratchDirectory()
        let shards = try shards(scratch)
        let first = training(scratch, name: "first", data: shards)
        // The order in which shards are named is no part of the result.
        let second = training(scratch, name: "second", data: shards.reversed())
        try run(.train(first))
        try run(.train(second))
        for file in ["model.safetensors", "config.json"] {
            #expect(try FileSystem.read("\(first.output)/\(file)") == FileSystem.read("\(second.output)/\(file)"))
        }
        #expect(try FileSystem.read(first.log!) == FileSystem.read(second.log!))
        #expect(!String(decoding: try FileSystem.read(first.log!), as: UTF8.self).contains("second"))
        var third = training(scratch, name: "third", data: shards)
        third.seed += 1
        try run(.train(third))
        #expect(
            try FileSystem.read("\(first.output)/model.safetensors")
                != FileSystem.read("\(third.output)/model.safetensors"))
    }

    @Test func bfloat16TrainsAndGenerates() throws {
        let scratch = ScratchDirectory()
        let shards = try shards(scratch)
        let prompts = try scratch.write("prompts.jsonl", Array(#"{"id":"a","prompt_ids":[2,11,3]}"#.utf8))
        var losses: [Double] = []
        for (name, precision) in [("narrow", ExecutionSettings.Precision.bfloat16), ("wide", .float32)] {
            var job = training(scratch, name: name, data: shards)
            job.execution.precision = precision
            job.epochs = 20
            guard case .step(let last)? = (try run(.train(job))).dropLast().last else {
                Issue.record("took no step")
                return
            }
            losses.append(last.loss)
            let generation = GenerationJob(
                checkpoint: job.output, prompts: prompts, output: "\(scratch.path)/\(name).jsonl", maxNewTokens: 4,
                execution: job.execution)
            try run(.generate(generation))
            // Parameters stay float32 whatever products are rounded to.
            #expect(
                try SafetensorsArchive(mapping: "\(job.output)/model.safetensors").header.entries
                    .allSatisfy { $0.type == .float32 })
        }
        #expect(abs(losses[0] / losses[1] - 1) < 0.1)
    }

    @Test func badDataIsNamed() throws {
        let scratch = ScratchDirectory()
        func expect(_ message: String, _ job: TrainingJob) {
            do {
                try run(.train(job))
                Issue.record("was accepted: \(message)")
            } catch {
                #expect("\(error)" == message)
            }
            #expect(!FileSystem.isDirectory(job.output))
        }
        func file(_ name: String, _ records: [TokenRecord]) throws -> String {
            try scratch.write(name, TokenShard.encode(records))
        }
        let empty = try file("empty", [])
        expect(
            "\(empty): no samples to train on; check what filters dropped",
            training(scratch, name: "x", data: [empty]))
        let wide = try file("wide", [TokenRecord(id: "w", prompt: [40], completion: [1])])
        expect(
            "sample \"w\": has the token 40, the model's vocabulary has 40; use the tokenizer of the model",
            training(scratch, name: "x", data: [wide]))
        let long = try file(
            "long", [TokenRecord(id: "l", prompt: [2], completion: [Int32](repeating: 3, count: 48))])
        expect(
            "sample \"l\": is 49 tokens long, the model has 48 positions; lower the limit on length where samples "
                + "are tokenised, or raise max_position_embeddings",
            training(scratch, name: "x", data: [long]))
        let good = try file("good", [TokenRecord(id: "g", prompt: [2], completion: [1])])
        expect("sample \"g\": is in the training data twice", training(scratch, name: "x", data: [good, good]))
        expect(
            "\(good): should be a shard of token-pairs/1, found \"tokens/1\"",
            training(scratch, name: "x", data: [good], objective: .krsl(KRSLSettings())))
    }

    @Test func checkpointsAreNotOverwritten() throws {
        let scratch = ScratchDirectory()
        let job = training(scratch, name: "", data: try shards(scratch))
        #expect(
            throws: StudentError(job.output, "exists already; a checkpoint is written to a new directory")
        ) { try run(.train(job)) }
    }

    @Test func badPromptsAreNamed() throws {
        let scratch = ScratchDirectory()
        let configuration = DecoderConfiguration(Samples.configuration)
        let cases: [(lines: String, message: String)] = [
            (#"{"id":"a","prompt_ids":[1]"#, ":1:27: expected \",\" or \"}\""),
            ("\n[]", ":2: should be an object, found an array"),
            (#"{"id":"a"}"#, ":1: field \"prompt\" or \"prompt_ids\" or \"messages\" should be there, and only one"),
            (
                #"{"id":"a","prompt_ids":[1],"prompt":"x"}"#,
                ":1: field \"prompt\" or \"prompt_ids\" or \"messages\" should be there, and only one"
            ),
            (#"{"id":"a","prompt_ids":[]}"#, ":1: the prompt is empty"),
            (#"{"id":"a","prompt_ids":[-1]}"#, ":1: field \"prompt_ids\" holds -1, which is no token id"),
            (#"{"id":"a","prompt_ids":[40]}"#, ":1: the token 40 is outside the model's vocabulary of 40"),
            (
                #"{"id":"a","prompt_ids":[1]}"# + "\n" + #"{"id":"a","prompt_ids":[1]}"#,
                ":2: the id \"a\" was used in line 1 already"
            ),
        ]
        for (lines, message) in cases {
            let path = try scratch.write("prompts.jsonl", Array(lines.utf8))
            do {
                _ = try PromptFile.read(
                    path, configuration: configuration, tokenizer: CheckpointTokenizer(directory: scratch.path))
                Issue.record("was accepted: \(lines)")
            } catch {
                #expect("\(error)" == path + message)
            }
        }
    }

    @Test func promptsAsTextUseTheCheckpointsTokenizer() throws {
        let scratch = ScratchDirectory()
        // Every byte of "abc" is a token of its own; 1 is the end.
        _ = try scratch.write("tokenizer.json", Samples.tokenizer([("a", 11), ("b", 12), ("c", 13)]))
        var training = training(scratch, name: "sft", data: try shards(scratch))
        training.tokenizer = scratch.path
        try run(.train(training))
        let texts = try scratch.write("texts.jsonl", Array(#"{"id":"a","prompt":"bac<end>"}"#.utf8))
        let ids = try scratch.write("ids.jsonl", Array(#"{"id":"a","prompt_ids":[12,11,13,1]}"#.utf8))
        var outputs: [Generation] = []
        for (prompts, decodes) in [(texts, false), (ids, true), (ids, false)] {
            let job = GenerationJob(
                checkpoint: training.output, prompts: prompts, output: "\(scratch.path)/out.jsonl", maxNewTokens: 3,
                decodesText: decodes)
            try run(.generate(job))
            let line = try JSON.parse(FileSystem.read(job.output))
            outputs.append(try Generation(json: #require(line.object)))
        }
        #expect(outputs[0] == outputs[1])
        #expect(outputs[0].text != nil && outputs[2].text == nil)
        #expect(outputs[0].tokens == outputs[2].tokens)
        try AtomicFile.replace("\(training.output)/tokenizer.json", with: Array("{}".utf8))
        let job = GenerationJob(
            checkpoint: training.output, prompts: texts, output: "\(scratch.path)/out.jsonl", maxNewTokens: 3)
        #expect(
            throws: StudentError(
                "\(training.output)/tokenizer.json", "version should be \"1.0\", found nothing")
        ) { try run(.generate(job)) }
    }

    @Test func reportsThatThrowEndTheWorkWithoutOutput() throws {
        struct Stop: Error {}
        let scratch = ScratchDirectory()
        let job = training(scratch, name: "x", data: try shards(scratch))
        let runner = JobRunner(report: { _ in throw Stop() }, clock: { 0 })
        #expect(throws: Stop.self) { try runner.run(.train(job)) }
        #expect(try FileSystem.list(scratch.path) == ["a.safetensors", "b.safetensors"])
    }
}
