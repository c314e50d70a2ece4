import Tensors

extension Decoder {
    /// A model with seeded random weights: matrices normal with the configuration's deviation, norms one, biases
    /// zero. Each parameter has a stream of its own, so that none depends on the shape of another.
    public static func random(
        _ configuration: DecoderConfiguration, seed: UInt64, adapter: Adapter? = nil, positions: Int? = nil,
        activation: Tensor.Element = .float32
    ) throws -> Decoder {
        var parameters: [Parameter] = []
        for shape in configuration.parameterShapes {
            let count = shape.shape.reduce(1, *)
            let values: [Float]
            switch shape.initial {
            case .ones: values = [Float](repeating: 1, count: count)
            case .zeros: values = [Float](repeating: 0, count: count)
            case .normal:
                var stream = RandomStream(seed: seed, path: RandomStream.path(shape.name))
                values = stream.normals(count, deviation: configuration.initializerRange)
            }
            parameters.append(Parameter(name: shape.name, tensor: try Tensor(values, shape: shape.shape)))
        }
        return try Decoder(
            configuration, parameters: parameters, adapter: adapter,
            positions: positions ?? configuration.maxPositions, activation: activation)
    }
}
