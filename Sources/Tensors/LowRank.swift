import CTorch

/// A low-rank update of a linear map: W becomes W + scale · B · A.
///
/// - Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", §4.1.
public struct LowRank {
    /// A [rank, in].
    public let down: Tensor
    /// B [out, rank].
    public let up: Tensor
    public let scale: Double

    public init(down: Tensor, up: Tensor, scale: Double) {
        self.down = down
        self.up = up
        self.scale = scale
    }

    /// `weight` [out, in] with the update added, in its own type; the sum is float32, or float64 for a float64 weight.
    public func merged(into weight: Tensor) throws(TensorError) -> Tensor {
        try Tensor(
            owning: produce("merging a low-rank update") {
                ct_merge_low_rank(weight.handle, down.handle, up.handle, scale, $0)
            })
    }
}

/// Elements of a layer's input that are zeroed at random in one pass, the others divided by 1 − share.
///
/// Equal keys drop equal places, so a pass can be repeated.
public struct Dropout: Sendable, Equatable {
    /// In [0, 1).
    public var share: Double
    public var key: UInt64

    public init(share: Double, key: UInt64) {
        self.share = share
        self.key = key
    }
}

extension Tensor {
    /// ``linears(_:biases:)`` with a low-rank update for each weight, or nil; dropout applies to what the update reads
    /// alone.
    public func linears(
        _ weights: [Tensor], biases: [Tensor?], updates: [(lowRank: LowRank, dropout: Dropout?)?]
    ) throws(TensorError) -> [Tensor] {
        precondition(biases.count == weights.count && updates.count == weights.count, "one of each for every weight")
        let weightHandles = weights.map { Optional($0.handle) }
        let biasHandles = biases.map { $0?.handle }
        let updateHandles = updates.map { update in
            CTLowRank(
                a: update?.lowRank.down.handle, b: update?.lowRank.up.handle, scale: update?.lowRank.scale ?? 0,
                dropout: update?.dropout?.share ?? 0, key: update?.dropout?.key ?? 0)
        }
        var outs = [OpaquePointer?](repeating: nil, count: weights.count)
        try check(
            ct_low_rank_linear(handle, weightHandles, biasHandles, updateHandles, Int32(weights.count), &outs),
            "a linear layer")
        return outs.map { Tensor(owning: $0!) }
    }
}
