import StudentJobs
import Tensors
import Testing

@testable import Students

@Suite struct PairBatchTests {
    @Test func sharedRowsAreComputedOnce() {
        let batch = PairBatch(Samples.pairs.prefix(1), settings: KRSLSettings(), count: 1)
        // Prompt and "12 13" serve both sides; nothing after the last key token is read.
        #expect(batch.packed.tokens == [2, 11, 3, 12, 13])
        #expect(batch.packed.segments == [Segment(rows: 0..<5)])
        #expect(batch.packed.targets.rows == [4, 4])
        #expect(batch.packed.targets.tokens == [14, 15])
        #expect(batch.packed.targets.weights == [1.0 / 4, -0.025 / 4])
        #expect(batch.kinds == [.correctKey, .wrongKey])
    }

    @Test func sidesContinueWhereTheyPart() {
        let batch = PairBatch(Samples.pairs[1...1], settings: KRSLSettings(normalization: .sum), count: 2)
        #expect(batch.packed.tokens == [2, 20, 3, 25, 22])
        #expect(batch.packed.segments == [Segment(rows: 0..<3), Segment(prefix: 0..<3, rows: 3..<5)])
        #expect(batch.packed.targets.rows == [2, 2, 4])
        #expect(batch.packed.targets.tokens == [21, 25, 23])
        #expect(batch.packed.targets.weights == [0.5, -0.0125, -0.0125])
    }

    @Test func pairsWithoutKeyTokensCostNothing() {
        let batch = PairBatch(Samples.pairs[4...4], settings: KRSLSettings(), count: 1)
        #expect(batch.packed == PackedBatch())
    }

    /// EDIT Eq. 5 to 7 written down directly: both sides of each pair as sequences of their own, every token scored.
    @Test(
        arguments: [0, 0.1], KRSLSettings.Normalization.allCases)
    func lossAndGradientsEqualTheDefinition(gamma: Double, normalization: KRSLSettings.Normalization) throws {
        let settings = KRSLSettings(alpha: 1, beta: 0.5, gamma: gamma, normalization: normalization)
        let model = try Samples.exactModel()
        let batch = PairBatch(Samples.pairs, settings: settings, count: Samples.pairs.count).packed
        let loss = try model.score(batch).loss
        try loss.backward()
        let gradients = try Samples.gradients(model)
        for parameter in model.parameters { parameter.tensor.clearGradient() }

        var plain = PackedBatch()
        for pair in Samples.pairs {
            for (completion, keys, key, other) in [
                (pair.correct, pair.correctKeys, settings.alpha, settings.gamma),
                (pair.wrong, pair.wrongKeys, -settings.beta, 0),
            ] {
                let rows = plain.append(pair.prompt + completion)
                let divisor = normalization == .perToken ? Double(completion.count) : 1
                for (index, token) in completion.enumerated() {
                    plain.expect(
                        token, at: rows.lowerBound + pair.prompt.count - 1 + index,
                        weight: (keys[index] == 1 ? key : other) / divisor / Double(Samples.pairs.count))
                }
            }
        }
        let expected = try model(plain.tokens, segments: plain.segments)
            .tokenLoss(plain.targets, output: model.output).loss
        try expected.backward()
        #expect(abs(try loss.scalar() - expected.scalar()) < 1e-12)
        #expect(largestDifference(gradients, try Samples.gradients(model)) < 1e-12)
        #expect(gradients.contains { abs($0) > 1e-3 })
    }

    @Test func rejectedTokensAboveTheCeilingNoLongerCount() throws {
        let model = try Samples.exactModel()
        func loss(_ ceiling: Double?) throws -> Double {
            let settings = KRSLSettings(alpha: 0, beta: 1, normalization: .sum, rejectedCeiling: ceiling)
            let batch = PairBatch(Samples.pairs, settings: settings, count: 1).packed
            return try model.score(batch).loss.scalar()
        }
        #expect(try loss(nil) == loss(1000))
        #expect(try loss(0) == 0)
        #expect(try loss(nil) < loss(4))
    }
}
