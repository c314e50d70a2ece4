import CTorch

/// Which rows are scored against which tokens, and with what weight.
public struct LossTargets: Sendable, Equatable {
    /// Rows of the hidden states whose logits are compared.
    public var rows: [Int64] = []
    /// The token each should predict.
    public var tokens: [Int64] = []
    /// What each NLL is multiplied by in the loss; negative pushes away.
    public var weights: [Double] = []
    /// When not nil: a target whose NLL in nats is above its ceiling counts with weight 0.
    public var ceilings: [Double]?

    public init() {}

    public var count: Int { rows.count }
}

/// A weighted sum of token NLLs, and the terms it was made of.
public struct ScoredTokens {
    /// Σ weight · NLL, a scalar to call ``Tensor/backward()`` on.
    public let loss: Tensor
    /// The NLL of each target, in nats.
    public let nll: [Double]
    /// Whether each target was the most likely token.
    public let correct: [Bool]
}

extension Tensor {
    /// Scores hidden states [T, H] against targets through the output layer `weight` [V, H]:
    /// NLL = logsumexp(logits) − logits[token].
    ///
    /// Logits exist for a few rows at a time only, and gradients are computed on the way.
    ///
    /// - Throws: ``TensorError`` for a row or token out of range.
    public func tokenLoss(_ targets: LossTargets, output weight: Tensor) throws(TensorError) -> ScoredTokens {
        var nll = [Double](repeating: 0, count: targets.count)
        var correct = [UInt8](repeating: 0, count: targets.count)
        let loss = try produce("the loss") { out in
            if let ceilings = targets.ceilings {
                return ct_token_loss(
                    handle, weight.handle, targets.rows, targets.tokens, targets.weights, ceilings,
                    Int64(targets.count), &nll, &correct, out)
            }
            return ct_token_loss(
                handle, weight.handle, targets.rows, targets.tokens, targets.weights, nil, Int64(targets.count), &nll,
                &correct, out)
        }
        return ScoredTokens(loss: Tensor(owning: loss), nll: nll, correct: correct.map { $0 == 1 })
    }

    /// For each row of hidden states [T, H], the token with the largest logit; the lowest id where several tie.
    public func mostLikelyTokens(output weight: Tensor) throws(TensorError) -> [Int64] {
        var tokens = [Int64](repeating: 0, count: shape[0])
        try check(ct_most_likely(handle, weight.handle, &tokens), "choosing tokens")
        return tokens
    }
}
