import Glibc

/// The verdicts of two students on the same questions.
///
/// What both get right or both get wrong says nothing about which is better, so neither test nor interval treats them as
/// two independent samples.
public struct PairedComparison: Sendable, Equatable {
    public private(set) var bothRight = 0
    public private(set) var onlyFirst = 0
    public private(set) var onlySecond = 0
    public private(set) var bothWrong = 0

    public init() {}

    public mutating func add(first: Bool, second: Bool) {
        switch (first, second) {
        case (true, true): bothRight += 1
        case (true, false): onlyFirst += 1
        case (false, true): onlySecond += 1
        case (false, false): bothWrong += 1
        }
    }

    public var count: Int { bothRight + onlyFirst + onlySecond + bothWrong }
    public var first: Int { bothRight + onlyFirst }
    public var second: Int { bothRight + onlySecond }

    /// The accuracy of the second minus that of the first; 0 without questions.
    public var difference: Double { count == 0 ? 0 : Double(onlySecond - onlyFirst) / Double(count) }

    /// A 95 % interval of ``difference``, within -1 and 1.
    ///
    /// Source: R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    /// paired data" (1998), method 10: Wilson's intervals of both accuracies, joined with the correlation of the
    /// verdicts. -1 to 1 without questions.
    public var interval: ClosedRange<Double> {
        guard count > 0 else { return -1...1 }
        let n = Double(count)
        let (right, left) = (Double(second) / n, Double(first) / n)
        let a = WilsonInterval(successes: second, n: count)
        let b = WilsonInterval(successes: first, n: count)
        let phi = correlation
        func joined(_ x: Double, _ y: Double) -> Double {
            max(0, x * x - 2 * phi * x * y + y * y).squareRoot()
        }
        let low = difference - joined(right - a.low, b.high - left)
        let high = difference + joined(a.high - right, left - b.low)
        return max(-1, low)...min(1, high)
    }

    /// Of the verdicts, with Newcombe's correction for continuity; 0 where one student has only one kind of verdict.
    private var correlation: Double {
        let margins = [first, second, count - first, count - second].map(Double.init)
        guard margins.allSatisfy({ $0 > 0 }) else { return 0 }
        let product = Double(bothRight) * Double(bothWrong) - Double(onlyFirst) * Double(onlySecond)
        let corrected = product > 0 ? max(0, product - Double(count) / 2) : product
        return corrected / margins.reduce(1) { $0 * $1.squareRoot() }
    }

    /// The chance that as uneven a split of the questions on which the two differ, or a more uneven one, comes about
    /// where neither is better: McNemar's test, exact and two-sided. 1 where they never differ. O(questions).
    public var pValue: Double {
        let n = onlyFirst + onlySecond
        let fewer = min(onlyFirst, onlySecond)
        guard n > 0, onlyFirst != onlySecond else { return 1 }
        // log C(n, k) - n log 2, from k - 1 to k.
        var logarithm = -Double(n) * log(2)
        var tail = exp(logarithm)
        for k in stride(from: 1, through: fewer, by: 1) {
            logarithm += log(Double(n - k + 1)) - log(Double(k))
            tail += exp(logarithm)
        }
        return min(1, 2 * tail)
    }
}
