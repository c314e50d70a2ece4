import CanonicalJSON
import Safetensors
import StudentJobs
import Tensors
import Testing

@testable import Students

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// Checkpoints as they are stored, and computing in bfloat16, against values of transformers in double precision.
@Suite(.needsGoldens) struct GoldenPrecisionTests {
    @Test("Stored types and files spread over shards load as what they are", arguments: ["bf16", "f16", "f32_sharded"])
    func variants(name: String) throws {
        let checkpoint = try Checkpoint(directory: "\(Goldens.directory)/variants/\(name)")
        let expected = try SafetensorsArchive(mapping: "\(Goldens.directory)/variants/expected.safetensors")
        let tokens = try expected.values("input_ids", as: Int64.self)
        let wanted = try expected.values("\(name)_logits_f64", as: Double.self)
        for (type, tolerance) in [(Tensor.Element.float64, 1e-10), (.float32, 1e-5)] {
            let model = try checkpoint.model(type: type, positions: 64)
            let logits = try withoutGradients {
                try model(tokens, segments: [Segment(rows: 0..<tokens.count)])
                    .rows([Int64(tokens.count - 2), Int64(tokens.count - 1)]).linear(model.output).doubles()
            }
            #expect(relativeDifference(logits, from: wanted) < tolerance)
        }
    }

    @Test("Losses in bfloat16 are within a hundredth", arguments: Goldens.checkpoints)
    func bfloat16(name: String) throws {
        let golden = try GoldenBatch(name)
        let expected = try Goldens.json("checkpoints/\(name)/sft.json")
        let loss = try #require(expected["token_mean64"]?.double)
        let norm = try #require(expected["token_mean_grad_norm64"]?.double)
        let model = try Goldens.checkpoint(name).model(positions: 64, activation: .bfloat16)
        for parameter in model.parameters { try parameter.tensor.setRequiresGradient(true) }
        let tokens = golden.records.reduce(0) { $0 + $1.completion.count }
        let scored = try model.accumulateGradients(of: PackedBatch(golden.records, weight: 1 / Double(tokens)))
        #expect(abs(try scored.loss.scalar() / loss - 1) < 1e-2)
        #expect(abs(try Tensor.gradientNorm(of: model.parameters.map(\.tensor)) / norm - 1) < 1e-2)
        // Weights that are kept in bfloat16 give the same as weights that are rounded in every pass.
        let narrow = try Goldens.checkpoint(name).model(
            positions: 64, activation: .bfloat16, matrices: .bfloat16)
        let other = try withoutGradients { try narrow.score(PackedBatch(golden.records, weight: 1 / Double(tokens))) }
        #expect(abs(try other.loss.scalar() / loss - 1) < 1e-2)
    }

    /// RETORT_SMOLLM2 is a directory with SmolLM2-135M-Instruct, as shared/tools makes it.
    static let smolLM2Directory: String? = getenv("RETORT_SMOLLM2").map { String(cString: $0) }

    @Test(
        "SmolLM2: losses, gradient norms and greedy answers",
        .enabled(if: GoldenPrecisionTests.smolLM2Directory != nil, "RETORT_SMOLLM2 is not set"))
    func smolLM2() throws {
        let expected = try Goldens.json("smollm2/goldens.json")
        let checkpoint = try Checkpoint(directory: #require(Self.smolLM2Directory))
        let model = try checkpoint.model(positions: 512)
        for parameter in model.parameters { try parameter.tensor.setRequiresGradient(true) }
        let pairs = try #require(expected["pairs"]?.array).map { pair in
            TokenPairRecord(
                id: "p", origin: "golden", prompt: try ids(pair["prompt"]), correct: try ids(pair["plus"]),
                wrong: try ids(pair["minus"]), correctKeys: try ids(pair["plus_mask"]).map { UInt8($0) },
                wrongKeys: try ids(pair["minus_mask"]).map { UInt8($0) })
        }
        for (key, normalization) in [("krsl_sum", KRSLSettings.Normalization.sum), ("krsl_per_token", .perToken)] {
            let batch = PairBatch(pairs, settings: KRSLSettings(normalization: normalization), count: pairs.count)
            let scored = try model.accumulateGradients(of: batch.packed)
            let loss = try #require(expected["\(key)64"]?.double)
            #expect(abs(try scored.loss.scalar() / loss - 1) < 1e-5)
            let norm = try #require(expected["\(key)_grad_norm64"]?.double)
            #expect(abs(try Tensor.gradientNorm(of: model.parameters.map(\.tensor)) / norm - 1) < 1e-4)
            for parameter in model.parameters { parameter.tensor.clearGradient() }
        }
        for answer in try #require(expected["generation"]?.array) {
            let tokens = try ids(answer["tokens"])
            let robust = try #require(answer["robust_tokens"]?.integer)
            let generator = Generator(model: model, slots: 1, maxNewTokens: robust, stopTokens: [])
            let result = try generator.generate([ids(answer["prompt_ids"])])[0].tokens
            #expect(result == Array(tokens.prefix(robust)))
        }
    }

    private func ids(_ json: JSON?) throws -> [Int32] {
        try #require(json?.array).map { Int32(try #require($0.integer)) }
    }
}
