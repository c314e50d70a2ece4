import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Testing

@testable import Students

/// Files from elsewhere: each mistake is an error before training starts, and nothing traps.
@Suite struct HostileInputTests {
    /// Damaged files in each test.
    private let rounds = 400

    @Test func damagedConfigurationsAreErrorsOrConfigurations() throws {
        var stream = RandomStream(seed: 21)
        let original = Samples.configuration.json.object!
        let values: [JSON] = [
            .null, true, "x", [], [1], JSON.object(JSONObject()), 0, -1, 1, 3, .integer(.max), .integer(.min), 1e308,
            -0.5,
            ["rope_type": "llama3", "factor": 0], ["rope_type": "linear", "factor": -1],
            [
                "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 1,
                "original_max_position_embeddings": 0,
            ],
        ]
        var accepted = 0
        for _ in 0..<rounds {
            var object = original
            for _ in 0...stream.index(below: 3) {
                let keys = original.keys + ["rope_scaling", "rope_parameters", "sliding_window", "head_dim"]
                object[keys[stream.index(below: keys.count)]] = values[stream.index(below: values.count)]
            }
            do {
                let configuration = try DecoderConfiguration(ConfigurationFile(path: "config.json", object: object))
                accepted += 1
                #expect(configuration.fault == nil)
                let frequencies = configuration.rotary.frequencies(headSize: min(64, configuration.headSize))
                #expect(!frequencies.contains { !$0.isFinite })
                #expect(configuration.parameterCount > 0)
            } catch let error as StudentError {
                #expect(error.subject == "config.json" && !error.problem.isEmpty)
            }
        }
        #expect(accepted > 0 && accepted < rounds)
    }

    @Test func damagedCheckpointsAreErrors() throws {
        let scratch = ScratchDirectory()
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 4)
        let directory = "\(scratch.path)/student"
        try Checkpoint.write(
            model, configuration: Samples.configuration.json.object!, tokenizer: nil, to: directory)
        let path = "\(directory)/model.safetensors"
        let original = try FileSystem.read(path)
        let header = 8 + Int(original[0]) + Int(original[1]) << 8
        var stream = RandomStream(seed: 22)
        var refused = 0
        for round in 0..<rounds {
            var bytes = original
            if round % 4 == 0 {
                bytes.removeLast(1 + stream.index(below: bytes.count))
            } else {
                for _ in 0...stream.index(below: 4) {
                    bytes[stream.index(below: header)] = UInt8(stream.index(below: 256))
                }
            }
            try AtomicFile.replace(path, with: bytes)
            do { _ = try Checkpoint(directory: directory) } catch is SafetensorsError { refused += 1 }
        }
        #expect(refused > rounds / 2)
    }

    @Test func damagedAdaptersAreErrors() throws {
        let scratch = ScratchDirectory()
        let configuration = DecoderConfiguration(Samples.configuration)
        let directory = "\(scratch.path)/adapter"
        let settings = LoRASettings(rank: 2, alpha: 4, dropout: 0)
        try Adapter.new(settings, for: configuration, seed: 1).write(to: directory, base: nil)
        let path = "\(directory)/adapter_config.json"
        let original = try #require(JSON.parse(FileSystem.read(path)).object)
        func expect(_ message: String, _ key: String, _ value: JSON?) throws {
            var object = original
            object[key] = value
            try AtomicFile.replace(path, with: JSON.object(object).canonicalBytes)
            do {
                _ = try Adapter(directory: directory, configuration: configuration, base: nil)
                Issue.record("was accepted: \(message)")
            } catch {
                #expect("\(error)" == message)
            }
        }
        let weights = "\(directory)/adapter_model.safetensors"
        try expect(#"\#(path): option "peft_type" is "IA3"; only "LORA" is supported"#, "peft_type", "IA3")
        try expect(#"\#(path): option "use_dora" is true, which is not supported"#, "use_dora", true)
        try expect(#"\#(path): field "r" is missing"#, "r", nil)
        try expect(
            #"\#(path): option "target_modules" has "lm_head"; supported are q_proj, k_proj, v_proj, o_proj, gate_proj, "#
                + "up_proj, down_proj", "target_modules", ["lm_head"])
        try expect(
            "\(weights): tensor \"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight\": has the shape "
                + "[2, 32], the base model asks for [3, 32]: this is an adapter for another base", "r", 3)
        try expect(
            "\(weights): tensor \"base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight\": is no update of a map "
                + "that adapter_config.json names and the base model has; is this an adapter for another base?",
            "target_modules", ["q_proj"])
        try expect(
            "\(weights): tensor \"base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight\": is missing",
            "target_modules", ["q_proj", "k_proj", "v_proj"])
        var stream = RandomStream(seed: 23)
        let keys = original.keys
        for _ in 0..<rounds {
            var object = original
            object[keys[stream.index(below: keys.count)]] = [.null, -1, "x", [], 1e300, true][stream.index(below: 6)]
            try AtomicFile.replace(path, with: JSON.object(object).canonicalBytes)
            do {
                _ = try Adapter(directory: directory, configuration: configuration, base: nil)
            } catch let error as StudentError {
                #expect(error.subject.hasPrefix(directory))
            } catch let error as SafetensorsError {
                #expect(error.source == weights)
            }
        }
    }

    @Test func anAdapterOfOtherWeightsIsRefused() throws {
        let scratch = ScratchDirectory()
        var checkpoints: [Checkpoint] = []
        for seed in [1, 2] as [UInt64] {
            let directory = "\(scratch.path)/base-\(seed)"
            try Checkpoint.write(
                .random(DecoderConfiguration(Samples.configuration), seed: seed),
                configuration: Samples.configuration.json.object!, tokenizer: nil, to: directory)
            checkpoints.append(try Checkpoint(directory: directory))
        }
        let directory = "\(scratch.path)/adapter"
        try Adapter.new(LoRASettings(rank: 2), for: checkpoints[0].configuration, seed: 1).write(
            to: directory, base: checkpoints[0])
        _ = try Adapter(directory: directory, for: checkpoints[0])
        #expect(
            throws: StudentError(
                directory, "is an adapter for another base: its weights were trained on a checkpoint with other values")
        ) { try Adapter(directory: directory, for: checkpoints[1]) }
        try AtomicFile.replace("\(directory)/adapter_model.bin", with: [0x80])
        try AtomicFile.replace(
            "\(directory)/adapter_config.json", with: FileSystem.read("\(directory)/adapter_config.json"))
        let other = "\(scratch.path)/pickled"
        try FileSystem.makeDirectory(other)
        try AtomicFile.replace("\(other)/adapter_model.bin", with: [0x80])
        try AtomicFile.replace(
            "\(other)/adapter_config.json", with: FileSystem.read("\(directory)/adapter_config.json"))
        #expect(
            throws: StudentError(
                "\(other)/adapter_model.bin",
                "is a pickle file, which can run any code when opened; convert the checkpoint to safetensors")
        ) { try Adapter(directory: other, for: checkpoints[0]) }
    }

    @Test func aBatchWithoutATargetIsNamedBeforeTraining() throws {
        var job = Samples.job(.krsl(KRSLSettings()), samples: 1)
        job.epochs = 1
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 1)
        do {
            _ = try Trainer(model: model, data: .pairs(Samples.pairs), job: job)
            Issue.record("was accepted")
        } catch let error as StudentError {
            #expect(error.subject.hasPrefix("step "))
            #expect(
                error.problem
                    == "would learn nothing: every token of its 1 samples is masked out (\"e\"); drop samples without key "
                    + "tokens, or raise the batch size")
        }
    }

    @Test func aTokenizerLargerThanTheEmbeddingIsRefusedBeforeTraining() throws {
        let scratch = ScratchDirectory()
        let path = try scratch.write("tokenizer.json", Samples.tokenizer(size: 41))
        let data = try scratch.write("data.safetensors", TokenShard.encode(Samples.counting(4)))
        var job = Samples.job(.sft)
        job.data = [data]
        job.tokenizer = scratch.path
        #expect(
            throws: StudentError(
                path,
                "has 41 tokens, the model's embedding 40 (vocab_size in config.json); take the tokenizer that belongs to "
                    + "the model")
        ) { try TrainingStart(job) }
        _ = try scratch.write("tokenizer.json", Samples.tokenizer(size: 40))
        _ = try TrainingStart(job)
    }

    @Test func runningOutOfMemoryNamesWhatToLower() {
        var job = Samples.job(.sft, samples: 16, accumulation: 2)
        job.batch.maxTokens = 4096
        #expect(
            job.outOfMemory("a product").problem
                == "out of memory (a product). Lower batch.samples (16 now) and raise batch.accumulation (2) by the same "
                + "factor, set batch.max_tokens below 4096, set recomputes_activations, or train an adapter")
    }

    @Test func modelsBeyondTheMemoryAreRefused() {
        let job = Samples.job(.sft)
        let need = MemoryNeed(training: job, of: DecoderConfiguration(Samples.configuration))
        #expect(need.parameters == Samples.configuration.parameterCount && need.bytes == 16 * Double(need.parameters))
        #expect(
            throws: StudentError(
                "model",
                "has \(need.parameters) parameters and needs at least 0.1 GiB to be trained (weights, gradients and "
                    + "AdamW's moments), this machine has 0.1 GiB; choose a smaller model, or train an adapter")
        ) { try need.check(available: 1000) }
        #expect(throws: Never.self) { try need.check(available: 1e9) }
    }
}
