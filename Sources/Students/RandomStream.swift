#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A seeded stream of random numbers, the same on every machine (SplitMix64; Steele, Lea and Flood, 2014).
struct RandomStream: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter path: numbers that name the stream within the seed; different paths give unrelated streams.
    init(seed: UInt64, path: UInt64...) {
        state = seed
        for part in path { state = next() ^ (part &* 0x9E37_79B9_7F4A_7C15) }
    }

    /// The part of a path that stands for a name.
    static func path(_ name: String) -> UInt64 {
        var hash = StableHash()
        hash.add(name.utf8)
        return hash.value
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// The draw after so many others, without making those. Uniform in (0, 1).
    mutating func uniform(skipping count: Int) -> Double {
        state &+= UInt64(count) &* 0x9E37_79B9_7F4A_7C15
        return uniform()
    }

    /// Uniform in [0, bound), without bias (Lemire, 2019).
    mutating func index(below bound: Int) -> Int {
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        let threshold = (0 &- bound) % bound
        while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        return Int(product.high)
    }

    /// `count` draws from the normal distribution of mean 0 (Box and Muller, 1958).
    mutating func normals(_ count: Int, deviation: Double) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count + 1)
        while values.count < count {
            let radius = (-2 * log(uniform())).squareRoot() * deviation
            let angle = 2 * Double.pi * uniform()
            values.append(Float(radius * cos(angle)))
            values.append(Float(radius * sin(angle)))
        }
        if values.count > count { values.removeLast() }
        return values
    }

    /// The numbers below `count` in random order (Fisher and Yates; Durstenfeld, 1964). O(count).
    mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        guard count > 1 else { return order }
        for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, index(below: last + 1)) }
        return order
    }
}
