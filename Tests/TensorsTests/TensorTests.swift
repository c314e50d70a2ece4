import Testing

@testable import Tensors

@Suite struct TensorTests {
    @Test func elementsReadBack() throws {
        let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        #expect(tensor.shape == [2, 3])
        #expect(tensor.count == 6)
        #expect(tensor.type == .float32)
        #expect(try tensor.doubles() == [1, 2, 3, 4, 5, 6])
        #expect(try tensor.withBytes { Array($0.bindMemory(to: Float.self)) } == [1, 2, 3, 4, 5, 6])
        #expect(try Tensor.zeros([2, 2], type: .float64).doubles() == [0, 0, 0, 0])
        #expect(try Tensor([7] as [Double], shape: []).scalar() == 7)
    }

    @Test func assignmentReplacesElements() throws {
        let tensor = try Tensor([1, 2] as [Double])
        try [3.0, 4.0].withUnsafeBytes { try tensor.assign($0) }
        #expect(try tensor.doubles() == [3, 4])
    }

    @Test func conversionRounds() throws {
        let tensor = try Tensor([1, 1.00390625, -3.14159] as [Float])
        #expect(try tensor.converted(to: .bfloat16).doubles() == [1, 1, -3.140625])
        #expect(try tensor.converted(to: .float16).doubles() == [1, 1.00390625, -3.140625])
    }

    @Test func misuseNamesTheOperation() throws {
        let matrix = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        let wide = try Tensor([1, 2, 3] as [Float], shape: [1, 3])
        #expect(
            throws: TensorError(
                code: .invalid, operation: "a linear layer", message: "a linear map's weight does not fit its input")
        ) { try matrix.linear(wide) }
        #expect(
            throws: TensorError(
                code: .invalid, operation: "embedding", message: "a token id lies outside the embedding")
        ) { try matrix.embedding(of: [2]) }
        var targets = LossTargets()
        (targets.rows, targets.tokens, targets.weights) = ([0], [2], [1])
        #expect(
            throws: TensorError(
                code: .invalid, operation: "the loss", message: "a target lies outside the vocabulary")
        ) { try matrix.tokenLoss(targets, output: matrix) }
    }

    @Test func runningOutOfMemoryIsAnError() {
        do {
            _ = try Tensor.zeros([1 << 50])
            Issue.record("allocated a pebibyte")
        } catch {
            #expect(error.code == .outOfMemory)
            #expect("\(error)".hasPrefix("out of memory in allocating a tensor: "))
        }
    }

    @Test func nothingIsRecordedWithoutGradients() throws {
        let leaf = try Tensor([1, 2] as [Double], shape: [1, 2])
        try leaf.setRequiresGradient(true)
        let out = try withoutGradients { try leaf.linear(leaf) }
        #expect(throws: TensorError.self) { try out.backward() }
        #expect(try leaf.gradient() == nil)
        try leaf.linear(leaf).backward()
        #expect(try leaf.gradient()?.doubles() == [2, 4])
        leaf.clearGradient()
        #expect(try leaf.gradient() == nil)
    }

    /// AdamW worked by hand: two steps on one number.
    @Test func adamWFollowsItsFormula() throws {
        for type in [Tensor.Element.float64, .float32] {
            let leaf = try Tensor([0.5], shape: [1, 1]).converted(to: type)
            try leaf.setRequiresGradient(true)
            let optimizer = try AdamW([leaf])
            var (p, m, v) = (0.5, 0.0, 0.0)
            for step in 1...2 {
                leaf.clearGradient()
                try leaf.linear(leaf).backward()
                #expect(abs(try Tensor.gradientNorm(of: [leaf]) - abs(2 * p)) < 1e-6)
                try optimizer.step(
                    learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.5, gradientScale: 0.25)
                let g = 2 * p * 0.25
                m = 0.8 * m + 0.2 * g
                v = 0.9 * v + 0.1 * g * g
                let firstCorrection = step == 1 ? 0.2 : 1 - 0.64
                let secondCorrection = step == 1 ? 0.1 : 1 - 0.81
                p =
                    p * (1 - 0.1 * 0.5)
                    - 0.1 * (m / firstCorrection) / ((v / secondCorrection).squareRoot() + 1e-3)
                #expect(abs(try leaf.doubles()[0] - p) < (type == .float64 ? 1e-12 : 1e-6))
            }
            #expect(optimizer.steps == 2)
        }
    }

    @Test func bfloat16ActivationsStayClose() throws {
        var numbers = Numbers(seed: 21)
        let x = try numbers.tensor(40, 16, type: .float32)
        let weight = try numbers.tensor(8, 16, type: .float32)
        let norm = try numbers.tensor(16, type: .float32)
        let exact = try x.addingAndNormalizing(nil, weight: norm, epsilon: 1e-5, to: .float32).normed.linear(weight)
        let rounded = try x.addingAndNormalizing(nil, weight: norm, epsilon: 1e-5, to: .bfloat16).normed.linear(weight)
        #expect(rounded.type == .bfloat16)
        #expect(largestDifference(try exact.doubles(), try rounded.doubles()) < 0.05)
    }
}
