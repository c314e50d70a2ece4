import Tensors
import Testing

/// Seeded numbers in (-1, 1), for tests.
struct Numbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 2 &+ 1 }

    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) * 0x1p-52 - 1
    }

    mutating func tensor(_ shape: Int..., scale: Double = 1, type: Tensor.Element = .float64) throws -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { _ in next() * scale }
        return try Tensor(values, shape: shape).converted(to: type)
    }
}

/// The largest absolute difference; not finite when the lengths differ or a value is not a number.
func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { largest, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}

/// A scalar that depends on every element of `tensor` differently, to backpropagate from.
func probe(_ tensor: Tensor, seed: UInt64 = 99) throws -> Tensor {
    var numbers = Numbers(seed: seed)
    let shape = tensor.shape
    if shape.isEmpty { return try tensor.converted(to: .float64).scaled(by: 0.7) }
    let wide = try tensor.converted(to: .float64)
    let weights = try numbers.tensor(1, shape[1])
    // Σ rows r_i · (x_i · w): a product with w, then with a row of numbers.
    let column = try wide.linear(weights)
    var total = try column.rows([0])
    for row in 1..<max(2, shape[0]) where row < shape[0] {
        total = try total + column.rows([Int64(row)]).scaled(by: numbers.next())
    }
    return total
}

/// Runs `body` on leaves of the given values, in the fused and in the composed form, and returns for each its output
/// and the gradients of a probe of it with respect to every leaf.
func fusedAndComposed(
    _ leaves: [Tensor], type: Tensor.Element = .float64, _ body: ([Tensor]) throws -> Tensor
) throws -> (fused: [[Double]], composed: [[Double]]) {
    func run() throws -> [[Double]] {
        let copies = try leaves.map { try Tensor($0.doubles(), shape: $0.shape).converted(to: type) }
        for copy in copies { try copy.setRequiresGradient(true) }
        let output = try body(copies)
        let value = try output.doubles()
        try probe(output).backward()
        return try [value] + copies.map { try $0.gradient()?.doubles() ?? [] }
    }
    return (try run(), try withComposedOperations(run))
}
