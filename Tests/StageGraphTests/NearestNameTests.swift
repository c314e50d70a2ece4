import StageGraph
import Testing

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("tempreature", "temperature"), ("seeds", "seed"), ("SEED", "seed"), ("cout", "count"), ("see", "seed"),
    ])
    func aSlipOfTheKeyboardFindsTheName(written: String, meant: String) {
        #expect(nearestName(to: written, among: ["count", "seed", "temperature"]) == meant)
    }

    @Test(arguments: ["", "x", "banana", "temperamental-thing", String(repeating: "seed", count: 100)])
    func whatIsFarFromEveryNameFindsNone(written: String) {
        #expect(nearestName(to: written, among: ["count", "seed", "temperature"]) == nil)
    }

    @Test func theNearestWinsAndOfEquallyNearOnesTheFirst() {
        #expect(nearestName(to: "wrong", among: ["wring", "wrong2", "wrong"]) == "wrong")
        #expect(nearestName(to: "bat", among: ["cat", "hat"]) == "cat")
    }

    @Test func validNamesAreListedWhenFew() {
        #expect(
            suggestion(for: "sed", among: ["count", "seed"], label: "It takes")
                == "; did you mean \"seed\"? It takes: count, seed")
        #expect(suggestion(for: "zzz", among: ["count", "seed"], label: "It takes") == "; it takes: count, seed")
        #expect(
            suggestion(for: "name7", among: (0..<20).map { "name\($0)" }, label: "It takes")
                == "; did you mean \"name7\"?")
    }
}
