import Testing

@testable import SyntheticTasks

@Suite("Seeded streams")
struct SeededGeneratorTests {
    /// The reference values of SplitMix64 with state 1234567, from its published C code.
    @Test("are SplitMix64")
    func matchReference() {
        var generator = SeededGenerator(state: 1_234_567)
        let found = (0..<3).map { _ in generator.next() }
        #expect(found == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test("belong to their names, each part for itself")
    func dependOnNames() {
        var streams = [
            SeededGenerator(seed: 1, "a", "bc"), SeededGenerator(seed: 1, "ab", "c"), SeededGenerator(seed: 1, "abc"),
            SeededGenerator(seed: 2, "abc"),
        ]
        let first = streams.indices.map { streams[$0].next() }
        #expect(Set(first).count == 4)
        #expect(StableHash.of(1, "a", "bc") == 14_193_834_343_682_772_644)
    }

    @Test("draw every number of a range, about equally often")
    func drawEvenly() {
        var generator = SeededGenerator(seed: 5, "even")
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<7000 { counts[generator.integer(in: 3...9) - 3] += 1 }
        #expect(counts.allSatisfy { 850...1150 ~= $0 }, "\(counts)")
        let hits = (0..<10_000).count { _ in generator.chance(0.25) }
        #expect(2300...2700 ~= hits)
        #expect(!generator.chance(0) && generator.chance(1))
    }

    @Test("shuffle to permutations")
    func shuffle() {
        var generator = SeededGenerator(seed: 5, "shuffle")
        let items = Array(0..<50)
        let shuffled = generator.shuffled(items)
        #expect(shuffled != items && shuffled.sorted() == items)
        #expect(Set(generator.sample(5, of: items)).count == 5)
    }
}
