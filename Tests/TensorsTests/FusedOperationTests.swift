import Tensors
import Testing

/// Fused operations give the values and gradients of the same formula in libtorch's own operations.
@Suite struct FusedOperationTests {
    private func expectAgreement(
        _ leaves: [Tensor], type: Tensor.Element = .float64, within tolerance: Double = 1e-12,
        sourceLocation: SourceLocation = #_sourceLocation, _ body: ([Tensor]) throws -> Tensor
    ) throws {
        let results = try fusedAndComposed(leaves, type: type, body)
        for (index, pair) in zip(results.fused, results.composed).enumerated() {
            let difference = largestDifference(pair.0, pair.1)
            #expect(difference < tolerance, "output or gradient \(index)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [(1, 2), (3, 7), (600, 32)]) func rmsNorm(rows: Int, width: Int) throws {
        var numbers = Numbers(seed: 1)
        let leaves = try [numbers.tensor(rows, width), numbers.tensor(rows, width), numbers.tensor(width)]
        try expectAgreement(leaves, within: 1e-10) {
            let (sum, normed) = try $0[0].addingAndNormalizing($0[1], weight: $0[2], epsilon: 1e-5, to: .float64)
            return try sum.scaled(by: 0.3) + normed
        }
        try expectAgreement([leaves[0], leaves[2]], within: 1e-10) {
            try $0[0].addingAndNormalizing(nil, weight: $0[1], epsilon: 1e-5, to: .float64).normed
        }
        try expectAgreement(leaves, type: .float32, within: 2e-4) {
            try $0[0].addingAndNormalizing($0[1], weight: $0[2], epsilon: 1e-5, to: .float32).normed
        }
    }

    @Test func headNorm() throws {
        var numbers = Numbers(seed: 2)
        try expectAgreement([numbers.tensor(5, 12), numbers.tensor(4)]) {
            try $0[0].normalizingHeads(weight: $0[1], epsilon: 1e-6)
        }
    }

    @Test func swiGLU() throws {
        var numbers = Numbers(seed: 3)
        let leaves = try [numbers.tensor(9, 11, scale: 6), numbers.tensor(9, 11)]
        try expectAgreement(leaves) { try $0[0].swiGLU($0[1]) }
        try expectAgreement(leaves, type: .float32, within: 1e-5) { try $0[0].swiGLU($0[1]) }
    }

    @Test func severalLinearMapsOfOneInput() throws {
        var numbers = Numbers(seed: 4)
        let leaves = try [
            numbers.tensor(6, 5), numbers.tensor(3, 5), numbers.tensor(3, 5), numbers.tensor(3), numbers.tensor(3),
        ]
        try expectAgreement(leaves) {
            let out = try $0[0].linears([$0[1], $0[2]], biases: [$0[3], $0[4]])
            return try out[0].swiGLU(out[1])
        }
        try expectAgreement(Array(leaves[0...3])) {
            let out = try $0[0].linears([$0[1], $0[2]], biases: [nil, $0[3]])
            return try out[0].swiGLU(out[1])
        }
        try expectAgreement(Array(leaves[0...1]), type: .float32, within: 1e-5) { try $0[0].linear($0[1]) }
    }

    @Test(arguments: [0, 0.25]) func lowRankUpdates(dropout: Double) throws {
        var numbers = Numbers(seed: 15)
        let leaves = try [
            numbers.tensor(6, 5), numbers.tensor(3, 5), numbers.tensor(3, 5), numbers.tensor(3), numbers.tensor(2, 5),
            numbers.tensor(3, 2),
        ]
        func maps(_ leaves: [Tensor]) throws -> Tensor {
            let update = LowRank(down: leaves[4], up: leaves[5], scale: 1.7)
            let drop = dropout > 0 ? Dropout(share: dropout, key: 77) : nil
            let out = try leaves[0].linears(
                [leaves[1], leaves[2]], biases: [nil, leaves[3]], updates: [nil, (update, drop)])
            return try out[0].swiGLU(out[1])
        }
        try expectAgreement(leaves, maps)
        try expectAgreement(leaves, type: .float32, within: 1e-4, maps)
    }

    @Test func embedding() throws {
        var numbers = Numbers(seed: 5)
        try expectAgreement([numbers.tensor(6, 4)]) { try $0[0].embedding(of: [5, 0, 5, 2]) }
    }

    /// Sequences shorter and longer than a block of queries, with and without shared beginnings.
    static let layouts: [[Segment]] = [
        [Segment(rows: 0..<1)],
        [Segment(rows: 0..<5), Segment(rows: 5..<75), Segment(rows: 75..<76)],
        [
            Segment(rows: 0..<70), Segment(prefix: 0..<66, rows: 70..<80), Segment(prefix: 0..<3, rows: 80..<150),
            Segment(rows: 150..<152), Segment(prefix: 150..<152, rows: 152..<155),
        ],
    ]

    @Test(arguments: [nil, 1, 6, 100] as [Int?], layouts) func attention(window: Int?, segments: [Segment]) throws {
        var numbers = Numbers(seed: 6)
        let rows = segments.last!.rows.upperBound
        let rotary = try RotaryTable(frequencies: [1, 0.1, 0.01], positions: 160, type: .float64)
        let attention = Attention(heads: 4, keyValueHeads: 2, headSize: 6, window: window, rotary: rotary)
        let leaves = try [numbers.tensor(rows, 24), numbers.tensor(rows, 12), numbers.tensor(rows, 12)]
        try expectAgreement(leaves, within: 1e-11) { try attention($0[0], $0[1], $0[2], segments: segments) }
        let single = Attention(
            heads: 4, keyValueHeads: 2, headSize: 6, window: window,
            rotary: try RotaryTable(frequencies: [1, 0.1, 0.01], positions: 160))
        try expectAgreement(leaves, type: .float32, within: 1e-4) {
            try single($0[0], $0[1], $0[2], segments: segments)
        }
    }

    /// Queries for some rows only give what queries for all give at those rows.
    @Test func attentionOfSomeRows() throws {
        var numbers = Numbers(seed: 16)
        let rotary = try RotaryTable(frequencies: [1, 0.1], positions: 90, type: .float64)
        let attention = Attention(heads: 2, keyValueHeads: 1, headSize: 4, rotary: rotary)
        let all = [Segment(rows: 0..<80), Segment(prefix: 0..<7, rows: 80..<83), Segment(rows: 83..<85)]
        let some = zip(all, [70, 1, 2]).map { Segment(prefix: $0.prefix, rows: $0.rows, firstQuery: $1) }
        let rows = (Array(70..<80) + Array(81..<83)).map(Int64.init)
        let (q, k, v) = try (numbers.tensor(85, 8), numbers.tensor(85, 4), numbers.tensor(85, 4))
        let whole = try attention(q, k, v, segments: all).rows(rows).doubles()
        #expect(largestDifference(try attention(q.rows(rows), k, v, segments: some).doubles(), whole) < 1e-14)
        try expectAgreement([q.rows(rows), k, v], within: 1e-11) {
            try attention($0[0], $0[1], $0[2], segments: some)
        }
        #expect(throws: TensorError.self) { try attention(q, k, v, segments: some) }
    }

    /// Generation, some rows at a time, sees what training sees at once.
    @Test(arguments: [nil, 3] as [Int?]) func cachedAttentionEqualsAttention(window: Int?) throws {
        var numbers = Numbers(seed: 7)
        let rotary = try RotaryTable(frequencies: [1, 0.1], positions: 12)
        let attention = Attention(heads: 4, keyValueHeads: 2, headSize: 4, window: window, rotary: rotary)
        let (q, k, v) = try (
            numbers.tensor(16, 16, type: .float32), numbers.tensor(16, 8, type: .float32),
            numbers.tensor(16, 8, type: .float32)
        )
        let whole = try attention(q, k, v, segments: [Segment(rows: 0..<10), Segment(rows: 10..<16)]).doubles()
        let cache = try KeyValueCache(slots: 3, keyValueHeads: 2, positions: 10, headSize: 4)
        // Two sequences in slots 2 and 0; each step takes these rows of the first and the second.
        let steps: [(Range<Int>, Range<Int>)] = [(0..<4, 10..<11), (4..<5, 11..<15), (5..<10, 15..<16)]
        var parts = [Double](repeating: .nan, count: whole.count)
        for (first, second) in steps {
            let rows = (Array(first) + Array(second)).map(Int64.init)
            let out = try attention(
                q.rows(rows), k.rows(rows), v.rows(rows), cache: cache,
                spans: [
                    CacheSpan(slot: 2, past: first.lowerBound, rows: 0..<first.count),
                    CacheSpan(slot: 0, past: second.lowerBound - 10, rows: first.count..<rows.count),
                ]
            ).doubles()
            for (index, row) in rows.enumerated() {
                for column in 0..<16 { parts[Int(row) * 16 + column] = out[index * 16 + column] }
            }
        }
        #expect(largestDifference(parts, whole) < 1e-5)
    }

    @Test func tokenLoss() throws {
        var numbers = Numbers(seed: 8)
        let hidden = try numbers.tensor(5, 4, scale: 3)
        let weight = try numbers.tensor(9, 4, scale: 2)
        var targets = LossTargets()
        targets.rows = [0, 4, 4, 2]
        targets.tokens = [8, 0, 3, 3]
        targets.weights = [0.5, 1, -0.25, 0]
        for ceilings in [nil, [.infinity, .infinity, 0.1, 1]] as [[Double]?] {
            targets.ceilings = ceilings
            try expectAgreement([hidden, weight]) { try $0[0].tokenLoss(targets, output: $0[1]).loss }
            let fused = try hidden.tokenLoss(targets, output: weight)
            let composed = try withComposedOperations { try hidden.tokenLoss(targets, output: weight) }
            #expect(largestDifference(fused.nll, composed.nll) < 1e-12)
            #expect(fused.correct == composed.correct)
        }
        try expectAgreement([hidden, weight], type: .float32, within: 1e-5) {
            try $0[0].tokenLoss(targets, output: $0[1]).loss
        }
    }

    /// More rows than logits are held for at once.
    @Test func tokenLossInParts() throws {
        var numbers = Numbers(seed: 9)
        let hidden = try numbers.tensor(300, 3)
        let weight = try numbers.tensor(4099, 3)
        var targets = LossTargets()
        for row in 0..<300 {
            targets.rows.append(Int64(299 - row))
            targets.tokens.append(Int64(row * 13 % 4099))
            targets.weights.append(Double(row % 5) - 1)
        }
        try expectAgreement([hidden, weight], within: 1e-9) {
            try $0[0].tokenLoss(targets, output: $0[1]).loss
        }
    }

    @Test func mostLikelyTokens() throws {
        let weight = try Tensor([1, 0, 0, 1, 1, 1, -1, -1] as [Float], shape: [4, 2])
        let hidden = try Tensor([3, 1, 1, 3, -1, -2, 0, 0] as [Float], shape: [4, 2])
        #expect(try hidden.mostLikelyTokens(output: weight) == [2, 2, 3, 0])
        #expect(try withComposedOperations { try hidden.mostLikelyTokens(output: weight) } == [2, 2, 3, 0])
    }
}
