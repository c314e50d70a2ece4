/// The Wilson score interval of a proportion.
///
/// With p = successes / n and z the normal quantile: (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
public struct WilsonInterval: Sendable, Equatable {
    public let low: Double
    public let high: Double

    /// - Parameters:
    ///   - successes: from 0 to `n`; a fraction where the proportion is a mean over groups.
    ///   - n: number of trials; the interval of none is 0 to 1.
    ///   - z: the two-sided normal quantile; the default gives 95 %.
    public init(successes: Double, n: Int, z: Double = 1.959963984540054) {
        precondition(n >= 0 && successes >= 0 && successes <= Double(n), "successes from 0 to n")
        guard n > 0 else {
            (low, high) = (0, 1)
            return
        }
        let (n, square) = (Double(n), z * z)
        let p = successes / n
        let centre = (p + square / (2 * n)) / (1 + square / n)
        let margin = z / (1 + square / n) * (p * (1 - p) / n + square / (4 * n * n)).squareRoot()
        // The bounds are exact at the ends; rounding would leave them a hair off.
        low = successes == 0 ? 0 : max(0, centre - margin)
        high = p == 1 ? 1 : min(1, centre + margin)
    }

    public init(successes: Int, n: Int) { self.init(successes: Double(successes), n: n) }
}
