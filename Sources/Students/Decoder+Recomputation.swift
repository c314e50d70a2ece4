import Tensors

extension Decoder {
    /// Adds the gradient of a batch's loss to the gradients of ``trained``.
    ///
    /// - Parameter recomputes: forgets what happens inside layers and computes it again on the way back: memory for
    ///   one layer and the inputs of all, instead of for all. The gradients are the same.
    /// - Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", with one segment a layer.
    @discardableResult func accumulateGradients(
        of batch: PackedBatch, recomputes: Bool = false
    ) throws(TensorError) -> ScoredTokens {
        guard recomputes else {
            let scored = try score(batch)
            try scored.loss.backward()
            return scored
        }
        let last = LastRows(batch)
        let attend: Attend = { (layer, q, k, v) throws(TensorError) in
            try self.attention(q, k, v, segments: layer == self.layers.count - 1 ? last.segments : batch.segments)
        }
        func rows(_ index: Int) -> [Int64]? { index == layers.count - 1 ? last.rows : nil }
        let trainsEmbedding = adapter == nil

        var inputs: [Stream] = []
        let result = try recordingNothing { () throws(TensorError) in
            var stream = Stream(x: try embedding.embedding(of: batch.tokens))
            for index in layers.indices {
                inputs.append(stream)
                stream = try run(index, stream, rows: rows(index), attend: attend)
            }
            return stream
        }
        let end = try result.leaves()
        let scored = try normalize(end).tokenLoss(last.targets, output: output)
        try scored.loss.backward()
        var gradient = try end.gradients()
        while let input = inputs.popLast() {
            let index = inputs.count
            let start = try input.leaves(requireGradient: index > 0 || trainsEmbedding)
            try run(index, start, rows: rows(index), attend: attend).backward(gradient)
            gradient = try start.gradients()
        }
        if trainsEmbedding { try Stream(x: embedding.embedding(of: batch.tokens)).backward(gradient) }
        return scored
    }
}

extension Decoder.Stream {
    /// The same values as leaves.
    fileprivate func leaves(requireGradient: Bool = true) throws(TensorError) -> Self {
        var result = Self(x: try x.detached(requiringGradient: requireGradient))
        if let delta { result.delta = try delta.detached(requiringGradient: requireGradient) }
        return result
    }

    /// The gradients of leaves.
    fileprivate func gradients() throws(TensorError) -> (x: Tensor?, delta: Tensor?) {
        (try x.gradient(), try delta?.gradient())
    }

    fileprivate func backward(_ gradient: (x: Tensor?, delta: Tensor?)) throws(TensorError) {
        var outputs = [(tensor: x, gradient: gradient.x)]
        if let delta { outputs.append((delta, gradient.delta)) }
        try Tensor.backward(outputs)
    }
}

/// ``withoutGradients(_:)`` for what throws tensor errors only.
private func recordingNothing<Result>(
    _ body: () throws(TensorError) -> Result
) throws(TensorError) -> Result {
    let outcome = withoutGradients {
        Swift.Result<Result, TensorError> { () throws(TensorError) in try body() }
    }
    return try outcome.get()
}
