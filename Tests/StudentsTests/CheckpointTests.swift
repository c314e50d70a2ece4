import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Testing

@testable import Students

@Suite struct CheckpointTests {
    private func written(_ scratch: ScratchDirectory, tokenizer: String? = nil) throws -> (Decoder, String) {
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 4)
        let directory = "\(scratch.path)/student"
        try Checkpoint.write(
            model, configuration: Samples.configuration.json.object!, tokenizer: tokenizer, to: directory)
        return (model, directory)
    }

    @Test func whatIsWrittenIsRead() throws {
        let scratch = ScratchDirectory()
        _ = try scratch.write("tokenizer.json", Array("{}".utf8))
        _ = try scratch.write("notes.txt", Array("x".utf8))
        let (model, directory) = try written(scratch, tokenizer: scratch.path)
        #expect(try FileSystem.list(directory) == ["config.json", "model.safetensors", "tokenizer.json"])
        let checkpoint = try Checkpoint(directory: directory)
        #expect(checkpoint.configuration == DecoderConfiguration(Samples.configuration))
        let copy = try checkpoint.model()
        #expect(copy.parameters.map(\.name) == model.parameters.map(\.name))
        for (a, b) in zip(model.parameters, copy.parameters) {
            #expect(try a.tensor.doubles() == b.tensor.doubles(), "\(a.name)")
        }
        #expect(try SafetensorsArchive(mapping: "\(directory)/model.safetensors").header.metadata("format") == "pt")
    }

    @Test func parametersHaveTheirOwnRandomStreams() throws {
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 4)
        var deeper = DecoderConfiguration(Samples.configuration)
        deeper.layers += 1
        let other = try Decoder.random(deeper, seed: 4)
        for parameter in model.parameters {
            let twin = try #require(other.parameters.first { $0.name == parameter.name })
            #expect(try parameter.tensor.doubles() == twin.tensor.doubles())
        }
        let values = try model.embedding.doubles()
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        #expect(abs(mean) < 0.002 && abs(variance.squareRoot() - 0.02) < 0.001)
        let again = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 5)
        #expect(try again.embedding.doubles() != values)
    }

    @Test func existingDirectoriesStay() throws {
        let scratch = ScratchDirectory()
        let (model, directory) = try written(scratch)
        #expect(
            throws: StudentError(directory, "cannot be put in place: Directory not empty")
        ) {
            try Checkpoint.write(
                model, configuration: Samples.configuration.json.object!, tokenizer: nil, to: directory)
        }
        #expect(try FileSystem.list(scratch.path) == ["student"])
    }

    /// An option of config.json, replaced, and what the error says after the path.
    static let mistakes: [(key: String, value: JSON?, message: String)] = [
        ("model_type", "gpt2", #"option "model_type" is "gpt2"; supported are llama, mistral, qwen2 and qwen3"#),
        ("model_type", nil, #"field "model_type" is missing"#),
        ("hidden_act", "gelu", #"option "hidden_act" is "gelu"; only "silu" is supported"#),
        (
            "rope_scaling", ["rope_type": "yarn"],
            #"field "rope_type" is "yarn"; supported are default, linear and llama3"#
        ),
        ("rope_theta", 0, #"option "rope_theta" is 0.0; it must be positive"#),
        ("quantization_config", ["bits": 4], #"option "quantization_config" is {"bits":4}, which is not supported"#),
        ("num_key_value_heads", 3, #"option "num_attention_heads" is 4, no multiple of num_key_value_heads 3"#),
        ("head_dim", 7, #"option "head_dim" is 7; rotary embeddings need an even number"#),
        ("vocab_size", -1, #"option "vocab_size" is -1; it must lie between 1 and 16777216"#),
        ("hidden_size", "32", #"field "hidden_size" should be an integer, found a string"#),
        ("eos_token_id", ["x"], #"field "eos_token_id" should hold integers, found a string"#),
    ]

    @Test(arguments: mistakes.indices) func configurationMistakesNameTheOption(index: Int) throws {
        let mistake = Self.mistakes[index]
        let scratch = ScratchDirectory()
        var object = Samples.configuration.json.object!
        object[mistake.key] = mistake.value
        let path = try scratch.write("config.json", JSON.object(object).canonicalBytes)
        do {
            _ = try Checkpoint(directory: scratch.path)
            Issue.record("was accepted")
        } catch {
            #expect("\(error)" == "\(path): \(mistake.message)")
        }
    }

    @Test func weightsMustBeThoseOfTheConfiguration() throws {
        let scratch = ScratchDirectory()
        let (_, directory) = try written(scratch)
        func expect(_ message: String, _ change: (inout JSONObject) -> Void) throws {
            var object = Samples.configuration.json.object!
            change(&object)
            try AtomicFile.replace("\(directory)/config.json", with: JSON.object(object).canonicalBytes)
            do {
                _ = try Checkpoint(directory: directory)
                Issue.record("was accepted: \(message)")
            } catch {
                #expect("\(error)" == "\(directory)/model.safetensors: \(message)")
            }
        }
        try expect(#"tensor "model.embed_tokens.weight": has the shape [40, 32], config.json asks for [41, 32]"#) {
            $0["vocab_size"] = 41
        }
        try expect(#"tensor "model.layers.2.input_layernorm.weight": is missing"#) { $0["num_hidden_layers"] = 3 }
        try expect(
            #"tensor "model.layers.1.input_layernorm.weight": is not part of the model config.json describes"#
        ) { $0["num_hidden_layers"] = 1 }
        try expect(#"tensor "lm_head.weight": is missing"#) { $0["tie_word_embeddings"] = false }
    }

    @Test func otherDirectoriesAreRefused() throws {
        let scratch = ScratchDirectory()
        #expect(
            throws: StudentError(
                "\(scratch.path)/none", "is no directory; a checkpoint is a directory with config.json")
        ) { try Checkpoint(directory: "\(scratch.path)/none") }
        #expect(
            throws: StudentError("\(scratch.path)/config.json", "cannot be opened: No such file or directory")
        ) { try Checkpoint(directory: scratch.path) }
        _ = try scratch.write("config.json", Samples.configuration.json.canonicalBytes)
        #expect(throws: StudentError(scratch.path, "has no model.safetensors")) {
            try Checkpoint(directory: scratch.path)
        }
        let pickle = try scratch.write("pytorch_model.bin", [0x80])
        #expect(
            throws: StudentError(
                pickle,
                "is a pickle file, which can run any code when opened; convert the checkpoint to safetensors")
        ) { try Checkpoint(directory: scratch.path) }
        _ = try scratch.write("config.json", Array("{\n,".utf8))
        #expect(throws: StudentError("\(scratch.path)/config.json:2:1", "expected a key in double quotes")) {
            try Checkpoint(directory: scratch.path)
        }
    }

    @Test func weightsMaySpanSeveralFiles() throws {
        let scratch = ScratchDirectory()
        let (model, directory) = try written(scratch)
        let whole = try SafetensorsArchive(mapping: "\(directory)/model.safetensors")
        var parts: [[TensorContent]] = [[], []]
        var map = JSONObject()
        for (index, entry) in whole.header.entries.enumerated() {
            let content = whole.withBytes(of: entry) {
                TensorContent(name: entry.name, type: entry.type, shape: entry.shape, bytes: Array($0))
            }
            parts[index % 2].append(content)
            map[entry.name] = .string("part-\(index % 2).safetensors")
        }
        let split = "\(scratch.path)/split"
        try FileSystem.createDirectory(split) { folder in
            for (index, part) in parts.enumerated() {
                try AtomicFile.replace("\(folder)/part-\(index).safetensors", with: SafetensorsArchive.encode(part))
            }
            try AtomicFile.replace(
                "\(folder)/model.safetensors.index.json",
                with: JSON.object(JSONObject([("weight_map", .object(map))])).canonicalBytes)
            try AtomicFile.replace("\(folder)/config.json", with: FileSystem.read("\(directory)/config.json"))
        }
        let copy = try Checkpoint(directory: split).model()
        for (a, b) in zip(model.parameters, copy.parameters) {
            #expect(try a.tensor.doubles() == b.tensor.doubles())
        }
    }
}
