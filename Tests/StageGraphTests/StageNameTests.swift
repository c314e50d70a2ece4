import StageGraph
import Testing

@Suite struct StageNameTests {
    @Test(arguments: ["a", "A-1_b", "k[a=1]", "k[a=-0.5,b=x/y+z]"])
    func wellFormedNamesAreTakenApartAndPutTogether(name: String) {
        #expect(StageName(name)?.description == name)
    }

    @Test(arguments: [
        "", "a b", "a.b", "é", "k[", "k[]", "k[a]", "k[a=]", "k[=1]", "[a=1]", "k[a=1]x", "k[a=1,]", "k[a=b=c]",
    ])
    func otherNamesAreRefused(name: String) {
        #expect(StageName(name) == nil)
    }
}
