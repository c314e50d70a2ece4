import CanonicalJSON
import StudentJobs
import Tensors
import Testing

@testable import Students

/// Every architecture against values of transformers and PEFT, in double precision and in float32.
@Suite(.needsGoldens) struct GoldenCheckpointTests {
    /// How far results may be off, relatively.
    struct Tolerance {
        let type: Tensor.Element
        let relative: Double

        static let exact = Tolerance(type: .float64, relative: 1e-10)
        static let single = Tolerance(type: .float32, relative: 1e-5)
    }

    @Test("Logits equal those of transformers", arguments: Goldens.checkpoints)
    func logits(name: String) throws {
        let golden = try GoldenBatch(name)
        for tolerance in [Tolerance.exact, .single] {
            let model = try Goldens.checkpoint(name).model(type: tolerance.type, positions: 64)
            try withoutGradients {
                var batch = PackedBatch()
                let starts = golden.rows.map { batch.append($0).lowerBound }
                let hidden = try model(batch.tokens, segments: batch.segments)
                let rows = golden.logitsAt.map { Int64(starts[$0.row] + $0.position) }
                let logits = try hidden.rows(rows).linear(model.output).doubles()
                #expect(relativeDifference(logits, from: golden.logits.flatMap { $0 }) < tolerance.relative)
            }
        }
    }

    @Test("SFT losses, token NLLs and gradients equal those of transformers", arguments: Goldens.checkpoints)
    func sft(name: String) throws {
        let golden = try GoldenBatch(name)
        let expected = try Goldens.json("checkpoints/\(name)/sft.json")
        for tolerance in [Tolerance.exact, .single] {
            let model = try Goldens.checkpoint(name).model(type: tolerance.type, positions: 64)
            for parameter in model.parameters { try parameter.tensor.setRequiresGradient(true) }
            let records = golden.records
            let tokens = records.reduce(0) { $0 + $1.completion.count }
            let batch = PackedBatch(records, weight: 1 / Double(tokens))
            let scored = try model.score(batch)
            let nll = zip(golden.nll, records).flatMap { $0.dropFirst($1.prompt.count).prefix($1.completion.count) }
            #expect(relativeDifference(scored.nll, from: nll) < tolerance.relative)
            let loss = try #require(expected["token_mean64"]?.double)
            #expect(abs(try scored.loss.scalar() / loss - 1) < tolerance.relative)
            try scored.loss.backward()
            try expectGradients(
                model, norm: expected["token_mean_grad_norm64"], entries: expected["grads_token_mean"], tolerance)
        }
    }

    @Test("KRSL losses and gradients equal the reference in each normalisation", arguments: Goldens.checkpoints)
    func krsl(name: String) throws {
        let expected = try Goldens.json("checkpoints/\(name)/krsl.json")
        let pairs = try pairs(expected)
        for tolerance in [Tolerance.exact, .single] {
            for goldenCase in try #require(expected["cases"]?.array) {
                let model = try Goldens.checkpoint(name).model(type: tolerance.type, positions: 64)
                for parameter in model.parameters { try parameter.tensor.setRequiresGradient(true) }
                let settings = KRSLSettings(
                    alpha: try #require(expected["alpha"]?.double), beta: try #require(expected["beta"]?.double),
                    gamma: try #require(goldenCase["gamma"]?.double),
                    normalization: goldenCase["normalisation"] == "sum" ? .sum : .perToken)
                let batch = PairBatch(pairs, settings: settings, count: pairs.count).packed
                let scored = try model.score(batch)
                let loss = try #require(goldenCase["loss64"]?.double)
                #expect(abs(try scored.loss.scalar() / loss - 1) < tolerance.relative)
                try scored.loss.backward()
                try expectGradients(model, norm: goldenCase["grad_norm64"], entries: goldenCase["grads"], tolerance)
            }
        }
    }

    @Test("Greedy tokens equal those of transformers, alone and in a batch", arguments: Goldens.checkpoints)
    func generation(name: String) throws {
        let expected = try Goldens.json("checkpoints/\(name)/generation.json")
        let prompts = try #require(expected["prompts"]?.array).map { try tokens($0) }
        let answers = try #require(expected["tokens"]?.array).map { try tokens($0) }
        let count = try #require(expected["max_new_tokens"]?.integer)
        let model = try Goldens.checkpoint(name).model(positions: 64)
        for slots in [1, 2, 8] {
            let generator = Generator(model: model, slots: slots, maxNewTokens: count, stopTokens: [])
            let results = try generator.generate(prompts)
            #expect(results.map(\.tokens) == answers)
            #expect(results.allSatisfy { $0.finish == .length })
        }
        let end = try #require(expected["with_eos"])
        let stop = try #require(end["eos"]?.integer)
        let generator = Generator(model: model, slots: 1, maxNewTokens: count, stopTokens: [Int64(stop)])
        let result = try generator.generate([tokens(end["prompt"])])[0]
        #expect(result.tokens + [Int32(stop)] == (try tokens(end["tokens"])))
        #expect(result.finish == .stop)
    }

    @Test("Both spellings of config.json mean the same model", arguments: Goldens.checkpoints)
    func spellings(name: String) throws {
        let path = "checkpoints/\(name)/config.v4.json"
        let old = ConfigurationFile(path: path, object: try #require(try Goldens.json(path).object))
        #expect(try DecoderConfiguration(old) == Goldens.checkpoint(name).configuration)
    }

    private func expectGradients(
        _ model: Decoder, norm: JSON?, entries: JSON?, _ tolerance: Tolerance,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let total = try Tensor.gradientNorm(of: model.parameters.map(\.tensor))
        let wanted = try #require(norm?.double)
        #expect(abs(total / wanted - 1) < tolerance.relative, sourceLocation: sourceLocation)
        let members = try #require(entries?.object?.members)
        #expect(!members.isEmpty, sourceLocation: sourceLocation)
        for member in members {
            let parameter = try #require(model.parameters.first { $0.name == member.key })
            let gradient = try #require(try parameter.tensor.gradient()).doubles()
            let indices = try #require(member.value["idx"]?.array).compactMap(\.integer)
            let values = try #require(member.value["g64"]?.array).compactMap(\.double)
            let difference = largestDifference(indices.map { gradient[$0] }, values)
            #expect(difference < tolerance.relative * wanted, "\(member.key)", sourceLocation: sourceLocation)
        }
    }

    private func pairs(_ json: JSON) throws -> [TokenPairRecord] {
        try #require(json["pairs"]?.array).enumerated().map { index, pair in
            TokenPairRecord(
                id: "pair-\(index)", origin: "golden", prompt: try tokens(pair["prompt"]),
                correct: try tokens(pair["plus"]), wrong: try tokens(pair["minus"]),
                correctKeys: try tokens(pair["plus_mask"]).map { UInt8($0) },
                wrongKeys: try tokens(pair["minus_mask"]).map { UInt8($0) })
        }
    }

    private func tokens(_ json: JSON?) throws -> [Int32] {
        try #require(json?.array).map { Int32(try #require($0.integer)) }
    }
}
