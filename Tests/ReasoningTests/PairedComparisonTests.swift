import Reasoning
import SeededRandomness
import Testing

@Suite struct PairedComparisonTests {
    private func comparison(_ both: Int, _ first: Int, _ second: Int, _ neither: Int) -> PairedComparison {
        var comparison = PairedComparison()
        for _ in 0..<both { comparison.add(first: true, second: true) }
        for _ in 0..<first { comparison.add(first: true, second: false) }
        for _ in 0..<second { comparison.add(first: false, second: true) }
        for _ in 0..<neither { comparison.add(first: false, second: false) }
        return comparison
    }

    /// Every way in which a coin can fall on the questions that differ, counted.
    @Test func theTestCountsTheOutcomesThatAreAtLeastAsUneven() {
        for n in 0...12 {
            for first in 0...n {
                let observed = abs(2 * first - n)
                let uneven = (0..<(1 << n)).count { abs(2 * $0.nonzeroBitCount - n) >= observed }
                let p = comparison(3, first, n - first, 5).pValue
                #expect(abs(p - Double(uneven) / Double(1 << n)) < 1e-12, "\(first) of \(n)")
            }
        }
        #expect(comparison(0, 40_000, 40_000, 0).pValue == 1)
        #expect(comparison(0, 39_000, 41_000, 0).pValue < 1e-10)
    }

    @Test func sidesChangedChangeTheSignAndNothingElse() {
        let (one, other) = (comparison(50, 9, 21, 20), comparison(50, 21, 9, 20))
        #expect(one.difference == 0.12)
        #expect(other.difference == -0.12)
        #expect(abs(one.interval.lowerBound + other.interval.upperBound) < 1e-12)
        #expect(abs(one.interval.upperBound + other.interval.lowerBound) < 1e-12)
        #expect(one.pValue == other.pValue)
    }

    /// Of many samples from a known population, about 95 % have an interval that holds the true difference, also where
    /// verdicts go together.
    @Test(arguments: [(0.6, 0.1, 0.2), (0.05, 0.02, 0.08), (0.3, 0.3, 0.3), (0.9, 0.03, 0.05)])
    func intervalsHoldTheTrueDifference(both: Double, first: Double, second: Double) {
        var random = SplitMix(seed: 11)
        let samples = 3000
        var held = 0
        for _ in 0..<samples {
            var comparison = PairedComparison()
            for _ in 0..<120 {
                let draw = Double(random.next() >> 11) / Double(1 << 53)
                comparison.add(
                    first: draw < both + first,
                    second: draw < both || (both + first..<both + first + second).contains(draw))
            }
            if comparison.interval.contains(second - first) { held += 1 }
        }
        #expect((0.935...0.985).contains(Double(held) / Double(samples)), "\(held) of \(samples)")
    }

    @Test func extremesStayWithinBounds() {
        #expect(PairedComparison().interval == -1...1)
        #expect(PairedComparison().pValue == 1)
        for (both, first, second, neither) in [(0, 0, 5, 0), (5, 0, 0, 0), (0, 0, 0, 5), (0, 5, 0, 0)] {
            let comparison = comparison(both, first, second, neither)
            #expect(comparison.interval.contains(comparison.difference))
            #expect((-1...1).contains(comparison.interval.lowerBound))
            #expect((-1...1).contains(comparison.interval.upperBound))
        }
    }
}
