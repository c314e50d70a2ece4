import StudentJobs
import Tensors
import Testing

@testable import Students

/// Direct preference optimisation, and SFT in which samples count alike.
@Suite struct PreferenceTests {
    /// Σ NLL of a completion, computed on its own.
    private func logProbability(_ model: Decoder, _ prompt: [Int32], _ completion: [Int32]) throws -> Double {
        let batch = PackedBatch([TokenRecord(id: "a", prompt: prompt, completion: completion)], weight: 1)
        return -(try withoutGradients { try model.score(batch).nll.reduce(0, +) })
    }

    @Test func marginsAreThoseOfTheCompletionsAlone() throws {
        let model = try Samples.exactModel()
        let margins = try PreferenceBatch.margins(of: Samples.pairs, model: model, samples: 2, tokens: 10)
        #expect(margins.count == Samples.pairs.count)
        for (pair, margin) in zip(Samples.pairs, margins) {
            let correct = try logProbability(model, pair.prompt, pair.correct)
            let wrong = try logProbability(model, pair.prompt, pair.wrong)
            #expect(abs(margin - (correct - wrong)) < 1e-10)
        }
    }

    /// log σ by its definition, over log-probabilities taken from whole sequences.
    private func loss(_ model: Decoder, references: [Double], beta: Double) throws -> Double {
        let terms = try zip(Samples.pairs, references).map { pair, reference in
            let margin =
                try logProbability(model, pair.prompt, pair.correct) - logProbability(model, pair.prompt, pair.wrong)
            return naturalLogarithm(1 + exponential(-beta * (margin - reference)))
        }
        return terms.reduce(0, +) / Double(terms.count)
    }

    @Test func theGradientOfDPOIsThatOfItsLoss() throws {
        let beta = 0.4
        // Another model is the reference, so that the margins differ from it.
        let references = try PreferenceBatch.margins(
            of: Samples.pairs, model: Samples.exactModel(seed: 8), samples: 8, tokens: 1000)
        let model = try Samples.exactModel()
        var batch = PreferenceBatch(Samples.pairs)
        let preference = batch.preference(
            nll: try withoutGradients { try model.score(batch.packed).nll }, references: references, beta: beta,
            count: Samples.pairs.count)
        #expect(abs(preference.loss - (try loss(model, references: references, beta: beta))) < 1e-10)
        try model.score(batch.packed).loss.backward()
        let parameter = model.parameters[1].tensor
        let gradient = try #require(try parameter.gradient()).doubles()
        let values = try parameter.doubles()
        for index in [0, values.count / 2, values.count - 1] {
            let losses = try [1e-5, -1e-5].map { change in
                var moved = values
                moved[index] += change
                try moved.withUnsafeBytes { try parameter.assign($0) }
                return try loss(model, references: references, beta: beta)
            }
            #expect(abs((losses[0] - losses[1]) / 2e-5 - gradient[index]) < 1e-6)
        }
    }

    @Test func dpoStartsAtTheReferenceAndPrefersTheCorrectSide() throws {
        var job = Samples.job(.dpo(beta: 0.5))
        job.epochs = 12
        let model = try Decoder.random(DecoderConfiguration(Samples.configuration), seed: 1)
        let trainer = try Trainer(model: model, data: .pairs(Samples.pairs), job: job)
        let first = try #require(try trainer.advance())
        #expect(abs(first.loss - naturalLogarithm(2)) < 1e-6)
        var last = first
        while !trainer.isFinished { last = try #require(try trainer.advance()) }
        #expect(last.loss < first.loss / 2)
        #expect(first.preferenceAccuracy == 0 && last.preferenceAccuracy! > 0.8)
        #expect(last.rejectedNLL! > first.rejectedNLL!)
    }

    @Test func lossesOfLargeRewardsStayFinite() {
        var batch = PreferenceBatch([Samples.pairs[0]])
        let count = batch.packed.targets.count
        let reference = [-1e6]
        let lost = batch.preference(
            nll: [Double](repeating: 0, count: count), references: [1e6], beta: 1, count: 1)
        #expect(lost.loss == 1e6)
        #expect(batch.packed.targets.weights.allSatisfy { abs($0) == 1 })
        let won = batch.preference(
            nll: [Double](repeating: 0, count: count), references: reference, beta: 1, count: 1)
        #expect(won.loss == 0 && won.isPreferred == [true])
    }

    @Test func perSampleLossesCountSamplesAlikeAndByTheirWeights() throws {
        let model = try Samples.exactModel()
        var records = Samples.counting(5)
        records[1].weight = 0.25
        records[2].weight = 3
        let trainer = try Trainer(model: model, data: .tokens(records), job: Samples.job(.sftPerSample))
        let outcome = try trainer.accumulateGradients(Array(records.indices))
        let expected = try records.reduce(0) { sum, record in
            let mean = -(try logProbability(model, record.prompt, record.completion)) / Double(record.completion.count)
            return sum + (record.weight ?? 1) * mean / 5
        }
        #expect(abs(outcome.loss - expected) < 1e-10)
    }

    @Test func weightsOfRecordsSurviveTheirShard() throws {
        var records = Samples.counting(3)
        records[1].weight = 0.5
        let read = try TokenShard.decode(TokenShard.encode(records))
        #expect(Set(read.map(\.weight)) == [nil, 0.5])
        #expect(read.first { $0.id == records[1].id } == records[1])
        // A shard without weights has the bytes it always had.
        #expect(!String(decoding: try TokenShard.encode([records[0]]), as: UTF8.self).contains("weight"))
    }
}
