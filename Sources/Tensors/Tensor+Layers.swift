import CTorch

/// The operations of a transformer. Rows are the tokens of several sequences end to end, without padding.
extension Tensor {
    /// Rows of this table [V, H] at `tokens`: [tokens, H], in float32 unless the table is float64.
    ///
    /// - Throws: ``TensorError`` for a token outside [0, V).
    public func embedding(of tokens: [Int64]) throws(TensorError) -> Tensor {
        try Tensor(owning: produce("embedding") { ct_embedding(handle, tokens, Int64(tokens.count), $0) })
    }

    /// `sum` = self + delta, and `normed` = sum / √(mean(sum²) + ε) · weight, over the last dimension.
    ///
    /// - Parameters:
    ///   - delta: what the layer before adds to the residual stream; nil for nothing.
    ///   - weight: [H], of this tensor's type.
    ///   - type: what `normed` is rounded to.
    /// - Source: Zhang and Sennrich, "Root Mean Square Layer Normalization".
    public func addingAndNormalizing(
        _ delta: Tensor?, weight: Tensor, epsilon: Double, to type: Element
    ) throws(TensorError) -> (sum: Tensor, normed: Tensor) {
        var sum: OpaquePointer?
        var normed: OpaquePointer?
        try check(
            ct_add_rms_norm(handle, delta?.handle, weight.handle, epsilon, type.type, &sum, &normed), "RMS norm")
        return (Tensor(owning: sum!), Tensor(owning: normed!))
    }

    /// RMS norm of each head of [T, heads · D] by `weight` [D], in this tensor's type.
    public func normalizingHeads(weight: Tensor, epsilon: Double) throws(TensorError) -> Tensor {
        try Tensor(owning: produce("head norm") { ct_head_rms_norm(handle, weight.handle, epsilon, $0) })
    }

    /// self [T, K] · weight [N, K]ᵀ + bias [N], computed in this tensor's type.
    public func linear(_ weight: Tensor, bias: Tensor? = nil) throws(TensorError) -> Tensor {
        try linears([weight], biases: [bias])[0]
    }

    /// ``linear(_:bias:)`` for several weights at once.
    public func linears(_ weights: [Tensor], biases: [Tensor?]? = nil) throws(TensorError) -> [Tensor] {
        precondition(biases == nil || biases!.count == weights.count, "as many biases as weights")
        let weightHandles = weights.map { Optional($0.handle) }
        let biasHandles = biases?.map { $0?.handle } ?? weights.map { _ in nil }
        var outs = [OpaquePointer?](repeating: nil, count: weights.count)
        try check(ct_linear(handle, weightHandles, biasHandles, Int32(weights.count), &outs), "a linear layer")
        return outs.map { Tensor(owning: $0!) }
    }

    /// silu(self) · up, elementwise.
    ///
    /// - Source: Shazeer, "GLU Variants Improve Transformer".
    public func swiGLU(_ up: Tensor) throws(TensorError) -> Tensor {
        try Tensor(owning: produce("SwiGLU") { ct_swiglu(handle, up.handle, $0) })
    }

    public static func + (a: Tensor, b: Tensor) throws(TensorError) -> Tensor {
        try Tensor(owning: produce("addition") { ct_tensor_add(a.handle, b.handle, $0) })
    }

    public func scaled(by factor: Double) throws(TensorError) -> Tensor {
        try Tensor(owning: produce("scaling") { ct_tensor_scale(handle, factor, $0) })
    }

    /// The rows of a matrix at `rows`, in that order.
    public func rows(_ rows: [Int64]) throws(TensorError) -> Tensor {
        try Tensor(owning: produce("taking rows") { ct_tensor_rows(handle, rows, Int64(rows.count), $0) })
    }
}
