import CTorch

extension Tensor {
    /// Makes a leaf whose gradient ``backward()`` computes, or stops that.
    public func setRequiresGradient(_ requires: Bool) throws(TensorError) {
        try check(ct_tensor_set_requires_grad(handle, requires), "marking a parameter")
    }

    /// Adds the derivative of this scalar with respect to every leaf that requires it to the leaf's gradient, and
    /// frees what was recorded.
    public func backward() throws(TensorError) {
        try check(ct_tensor_backward(handle), "backpropagation")
    }

    /// ``backward()`` for several outputs whose own derivatives are known; nil is zero.
    public static func backward(_ outputs: [(tensor: Tensor, gradient: Tensor?)]) throws(TensorError) {
        let tensors = outputs.map { Optional($0.tensor.handle) }
        let gradients = outputs.map { $0.gradient?.handle }
        try check(ct_tensor_backward_from(tensors, gradients, Int32(outputs.count)), "backpropagation")
    }

    /// The same values, sharing storage, as a leaf of its own.
    public func detached(requiringGradient: Bool = false) throws(TensorError) -> Tensor {
        let leaf = try Tensor(owning: produce("detaching a tensor") { ct_tensor_detach(handle, $0) })
        if requiringGradient { try leaf.setRequiresGradient(true) }
        return leaf
    }

    /// The gradient so far, sharing storage, or nil when there is none.
    public func gradient() throws(TensorError) -> Tensor? {
        var out: OpaquePointer?
        try check(ct_tensor_gradient(handle, &out), "reading a gradient")
        return out.map { Tensor(owning: $0) }
    }

    public func clearGradient() { ct_tensor_clear_gradient(handle) }

    /// The Euclidean norm over the gradients of several leaves; not finite when one of them is not.
    public static func gradientNorm(of leaves: [Tensor]) throws(TensorError) -> Double {
        var norm = 0.0
        let handles = leaves.map { Optional($0.handle) }
        try check(ct_gradient_norm(handles, Int32(handles.count), &norm), "measuring gradients")
        return norm
    }
}

/// Runs `body` without recording anything for gradients.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_set_gradients_enabled(false)
    defer { _ = ct_set_gradients_enabled(before) }
    return try body()
}

/// Runs `body` with every fused operation in its composed form: libtorch's own operations and derivatives. Slow; the
/// reference that fused forms are tested against.
public func withComposedOperations<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_set_composed(true)
    defer { _ = ct_set_composed(before) }
    return try body()
}
