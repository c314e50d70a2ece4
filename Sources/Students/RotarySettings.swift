#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The frequencies of rotary embeddings.
public struct RotarySettings: Sendable, Equatable {
    public var theta: Double
    public var scaling: Scaling

    public enum Scaling: Sendable, Equatable {
        case none
        /// Every frequency divided by `factor`.
        case linear(factor: Double)
        /// Llama 3.1: wavelengths beyond `originalPositions / lowFactor` are divided by `factor`, those below
        /// `originalPositions / highFactor` kept, and those between interpolated.
        case llama3(factor: Double, lowFactor: Double, highFactor: Double, originalPositions: Int)
    }

    public init(theta: Double, scaling: Scaling = .none) {
        self.theta = theta
        self.scaling = scaling
    }

    /// Radians a position for each pair of elements of a head: θ^(−2i/D), scaled.
    ///
    /// - Source: RoFormer §3.2.2; for Llama 3.1 its published reference code.
    public func frequencies(headSize: Int) -> [Double] {
        (0..<headSize / 2).map { pair in
            let frequency = 1 / pow(theta, Double(2 * pair) / Double(headSize))
            switch scaling {
            case .none: return frequency
            case .linear(let factor): return frequency / factor
            case .llama3(let factor, let low, let high, let positions):
                let wavelength = 2 * Double.pi / frequency
                if wavelength > Double(positions) / low { return frequency / factor }
                if wavelength < Double(positions) / high { return frequency }
                let smooth = (Double(positions) / wavelength - low) / (high - low)
                return (1 - smooth) * frequency / factor + smooth * frequency
            }
        }
    }
}
