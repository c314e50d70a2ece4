import Testing

@testable import Tensors

@Suite struct LargeVocabularyTests {
    /// A plain float sum of 60 000 terms near 1 is off by more than 1e-4 of itself.
    @Test func lossesOverALargeVocabularyKeepTheirPrecision() throws {
        let (rows, width, vocabulary) = (3, 8, 60_000)
        var state: UInt64 = 9
        func next() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24) - 0.5
        }
        let hidden = try Tensor((0..<rows * width).map { _ in next() }, shape: [rows, width])
        let weight = try Tensor((0..<vocabulary * width).map { _ in next() * 0.1 }, shape: [vocabulary, width])
        var targets = LossTargets()
        targets.rows = [0, 1, 2]
        targets.tokens = [0, 31_000, 59_999]
        targets.weights = [1, 1, 1]
        try withoutGradients {
            let single = try hidden.tokenLoss(targets, output: weight).nll
            let exact = try hidden.converted(to: .float64).tokenLoss(
                targets, output: weight.converted(to: .float64)
            ).nll
            for (a, b) in zip(single, exact) { #expect(abs(a - b) < 2e-6, "\(a) and \(b)") }
        }
    }
}
