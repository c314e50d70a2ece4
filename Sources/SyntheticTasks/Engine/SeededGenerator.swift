/// A named, seeded stream of random numbers that is the same for ever, on every platform and toolchain.
///
/// SplitMix64 (period 2^64). All choices go through the methods here, never through the standard library's
/// `random(in:using:)`, whose algorithm is no promise.
public struct SeededGenerator: Sendable {
    private var state: UInt64

    /// The stream of a raw 64-bit state.
    public init(state: UInt64) { self.state = state }

    /// The stream that belongs to a seed and the names of what it is for.
    public init(seed: UInt64, _ names: String...) {
        var hash = StableHash()
        hash.combine(seed)
        for name in names { hash.combine(name) }
        state = hash.value
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return mixed(state)
    }

    /// A number in `0..<bound`, by multiplication; the bias is below `bound / 2^64`. `bound` must be positive.
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "an empty range has no random element")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    public mutating func integer(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// True with the given probability. Draws one number, whatever the probability.
    public mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < probability
    }

    /// One of the elements; the array must not be empty.
    public mutating func element<Element>(of elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    /// The elements in random order (Fisher and Yates). O(n).
    public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var result = elements
        for last in stride(from: result.count - 1, to: 0, by: -1) {
            result.swapAt(last, below(last + 1))
        }
        return result
    }

    /// `count` different elements in random order; `count` must not exceed the number of elements.
    public mutating func sample<Element>(_ count: Int, of elements: [Element]) -> [Element] {
        Array(shuffled(elements).prefix(count))
    }
}
