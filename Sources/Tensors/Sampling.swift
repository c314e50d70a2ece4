import CTorch

/// How the token of a row is drawn.
public struct TokenDraw: Sendable, Equatable {
    /// Logits are divided by this; 0 takes the most likely token.
    public var temperature: Double
    /// Only so many of the most likely tokens; nil for all.
    public var topK: Int?
    /// Of those only the fewest that together have this probability, in (0, 1].
    public var topP: Double
    /// Uniform in [0, 1).
    public var uniform: Double

    public init(temperature: Double, topK: Int? = nil, topP: Double = 1, uniform: Double = 0) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.uniform = uniform
    }
}

extension Tensor {
    /// For each row of hidden states [T, H] a token, through the output layer `weight` [V, H], drawn as its own
    /// ``TokenDraw`` says: temperature, then top-k, then top-p of what remains.
    ///
    /// - Complexity: O(V) a row and O(k log V) for the k tokens that top-k or top-p keep.
    /// - Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".
    public func drawnTokens(output weight: Tensor, _ draws: [TokenDraw]) throws(TensorError) -> [Int64] {
        precondition(draws.count == shape[0], "a draw for each row")
        let settings = draws.map {
            CTSampling(
                temperature: $0.temperature, top_k: Int64($0.topK ?? 0), top_p: $0.topP, uniform: $0.uniform)
        }
        var tokens = [Int64](repeating: 0, count: draws.count)
        try check(ct_sample(handle, weight.handle, settings, &tokens), "drawing tokens")
        return tokens
    }
}
