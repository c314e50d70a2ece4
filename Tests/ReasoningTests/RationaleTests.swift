import Reasoning
import Testing

@Suite struct RationaleTests {
    @Test(arguments: [
        ("One and one.\nSo the answer is 2.", "One and one.", "So the answer is 2."),
        ("1 + 1 = 2. Therefore, the answer is 2.", "1 + 1 = 2.", "Therefore, the answer is 2."),
        ("Is it 3? No! The best answer is (B). Good.", "Is it 3? No!", "The best answer is (B). Good."),
        ("The answer is 1. Wait. The answer is 2.", "The answer is 1. Wait.", "The answer is 2."),
        ("Step 1.5 holds, so the answer is 1.5.", "", "Step 1.5 holds, so the answer is 1.5."),
        ("a\n\n#### 7", "a", "#### 7"),
        ("Café au lait.  \n The answer is é.", "Café au lait.", " The answer is é."),
    ])
    func reasoningAndConclusionPartBeforeTheLastSentence(response: String, reasoning: String, conclusion: String) throws
    {
        let rationale = try #require(Rationale(of: response))
        #expect(rationale.reasoning == reasoning)
        #expect(rationale.conclusion == conclusion)
    }

    @Test func aResponseWithoutConclusionHasNoRationale() {
        #expect(Rationale(of: "I do not know.") == nil)
    }
}
