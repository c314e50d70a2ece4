import Tensors
import Testing

/// Gradients against central differences, so that no formula is trusted because libtorch has it too.
@Suite struct DerivativeTests {
    private func expectDerivatives(
        _ leaves: [Tensor], sourceLocation: SourceLocation = #_sourceLocation, _ body: ([Tensor]) throws -> Tensor
    ) throws {
        for leaf in leaves { try leaf.setRequiresGradient(true) }
        try probe(body(leaves)).backward()
        for (index, leaf) in leaves.enumerated() {
            let gradient = try #require(try leaf.gradient()).doubles()
            let values = try leaf.doubles()
            var numeric: [Double] = []
            for element in values.indices {
                func value(_ shift: Double) throws -> Double {
                    var moved = values
                    moved[element] += shift
                    var others = leaves
                    others[index] = try Tensor(moved, shape: leaf.shape)
                    return try withoutGradients { try probe(body(others)).scalar() }
                }
                numeric.append(try (value(1e-5) - value(-1e-5)) / 2e-5)
            }
            let difference = largestDifference(gradient, numeric)
            #expect(difference < 1e-7, "leaf \(index)", sourceLocation: sourceLocation)
        }
    }

    @Test func rmsNorm() throws {
        var numbers = Numbers(seed: 11)
        try expectDerivatives([numbers.tensor(3, 4), numbers.tensor(3, 4), numbers.tensor(4)]) {
            try $0[0].addingAndNormalizing($0[1], weight: $0[2], epsilon: 1e-3, to: .float64).normed
        }
    }

    @Test func swiGLU() throws {
        var numbers = Numbers(seed: 12)
        try expectDerivatives([numbers.tensor(2, 5, scale: 3), numbers.tensor(2, 5)]) { try $0[0].swiGLU($0[1]) }
    }

    @Test func attentionWithSharedBeginning() throws {
        var numbers = Numbers(seed: 13)
        let rotary = try RotaryTable(frequencies: [1, 0.3], positions: 8, type: .float64)
        let attention = Attention(heads: 2, keyValueHeads: 1, headSize: 4, rotary: rotary)
        let segments = [
            Segment(rows: 0..<3), Segment(prefix: 0..<2, rows: 3..<5), Segment(prefix: 0..<3, rows: 5..<6),
        ]
        try expectDerivatives([numbers.tensor(6, 8), numbers.tensor(6, 4), numbers.tensor(6, 4)]) {
            try attention($0[0], $0[1], $0[2], segments: segments)
        }
    }

    @Test func tokenLoss() throws {
        var numbers = Numbers(seed: 14)
        var targets = LossTargets()
        targets.rows = [2, 0, 2]
        targets.tokens = [1, 4, 0]
        targets.weights = [1, 0.5, -0.1]
        try expectDerivatives([numbers.tensor(3, 4), numbers.tensor(5, 4)]) {
            try $0[0].tokenLoss(targets, output: $0[1]).loss
        }
    }
}
