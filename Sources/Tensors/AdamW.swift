import CTorch

/// AdamW over a list of parameters, with its moments; the arithmetic of `torch.optim.AdamW`.
///
/// m ← m + (g − m)(1 − β₁), v ← β₂ v + (1 − β₂) g²,
/// p ← p (1 − lr·wd) − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
public final class AdamW {
    public let parameters: [Tensor]
    /// The first moment of each parameter, like it in shape and type.
    public let first: [Tensor]
    /// The second moment of each parameter.
    public let second: [Tensor]
    /// Steps taken so far; to be set only together with the moments.
    public var steps = 0

    /// - Parameter parameters: leaves in an order that decides nothing but the order of sums.
    public init(_ parameters: [Tensor]) throws(TensorError) {
        self.parameters = parameters
        var first: [Tensor] = []
        var second: [Tensor] = []
        for parameter in parameters {
            first.append(try .zeros(parameter.shape, type: parameter.type))
            second.append(try .zeros(parameter.shape, type: parameter.type))
        }
        self.first = first
        self.second = second
    }

    /// Takes one step with the parameters' gradients times `gradientScale`. Gradients stay.
    public func step(
        learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
        gradientScale: Double = 1
    ) throws(TensorError) {
        steps += 1
        let leaves = parameters.map { Optional($0.handle) }
        try check(
            ct_adamw_step(
                leaves, first.map { Optional($0.handle) }, second.map { Optional($0.handle) }, Int32(leaves.count),
                gradientScale, learningRate, beta1, beta2, epsilon, weightDecay, Int64(steps)),
            "an optimizer step")
    }
}
