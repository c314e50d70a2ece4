import Reasoning
import Testing

@Suite struct AnswerVerifierTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let response: String
        let gold: String
        let predicted: String?
        let correct: Bool
        var testDescription: String { "\(response.debugDescription) against \(gold)" }

        init(_ response: String, _ gold: String, _ predicted: String?, _ correct: Bool) {
            (self.response, self.gold, self.predicted, self.correct) = (response, gold, predicted, correct)
        }
    }

    @Test(arguments: [
        Case("So the answer is (B).", "(B)", "(B)", true),
        Case("Therefore, the answer is (A).", "(B)", "(A)", false),
        Case("THE ANSWER IS (b)", "(B)", "(B)", true),
        Case("the answer is: (B) 02/28/2017", "(B)", "(B)", true),
        Case("the answer is B.", "(B)", "(B)", true),
        Case("the answer is B)", "(B)", "(B)", true),
        Case("the answer is **B**", "(B)", "(B)", true),
        Case("the answer is **(B) kite**.", "(B)", "(B)", true),
        Case("**The answer is** \"(B)\"", "(B)", "(B)", true),
        Case("the answer is （Ｂ）。", "(B)", "(B)", true),
        Case("the answer is option B", "(B)", "(B)", true),
        Case("the answer is [B]", "(B)", "(B)", true),
        Case("the answer is (B), not (A).", "(B)", "(B)", true),
        Case("the answer is (A) or (B).", "(B)", "(A) or (B)", false),
        Case("the answer is (B) and (A).", "(B)", "(B) and (A)", false),
        Case("the answer is B or C.", "(B)", "B or C", false),
        Case("the answer is (A), (B), (C), or (D).", "(A)", "(A), (B), (C), or (D)", false),
        Case("the answer is (None of the above).", "(B)", "(None of the above)", false),
        Case("the answer is A dog.", "(A)", "A dog", false),
        Case("The correct answer is $\\boxed{(C) Rodrigo}$.", "(C)", "(C)", true),
    ]) func readsOptionLetters(_ sample: Case) { check(sample) }

    @Test(arguments: [
        Case("the answer is yes", "Yes", "Yes", true),
        Case("the answer is Yes, because it is.", "yes", "yes", true),
        Case("the answer is No.", "Yes", "No", false),
        Case("the answer is yes and no.", "Yes", "yes and no", false),
        Case("the answer is true.", "True", "True", true),
        Case("the answer is **False**", "False", "False", true),
        Case("the answer is invalid.", "valid", "invalid", false),
        Case("the answer is not valid.", "invalid", "invalid", true),
        Case("the answer is valid", "valid", "valid", true),
        Case("the answer is notable.", "No", "notable", false),
    ]) func readsWordsThatExcludeEachOther(_ sample: Case) { check(sample) }

    @Test(arguments: [
        Case("the answer is 3.5.", "3.5", "3.5", true),
        Case("the answer is 1,000", "1000", "1000", true),
        Case("the answer is 1,234,567.80", "1234567.8", "1234567.8", true),
        Case("the answer is -12.", "-12", "-12", true),
        Case("the answer is \u{2212}12.", "-12", "-12", true),
        Case("the answer is 12.", "-12", "12", false),
        Case("the answer is $18.00", "18", "18", true),
        Case("the answer is -$5", "-5", "-5", true),
        Case("the answer is 25%.", "25", "25", true),
        Case("the answer is 007", "7", "7", true),
        Case("the answer is 0.50", ".5", "0.5", true),
        Case("the answer is -0", "0", "0", true),
        Case("the answer is 18 dollars per day.", "18", "18", true),
        Case("the answer is 2.5/week.", "2.5", "2.5", true),
        Case("the answer is Keith spent $369.37 in total.", "369.37", "369.37", true),
        Case("the answer is 3 + 4 = 7.", "7", "7", true),
        Case("the answer is 3 + 4", "3", "3 + 4", false),
        Case("the answer is 10+John's age", "10", "10+John's age", false),
        Case("the answer is 5 or 6.", "5", "5 or 6", false),
        Case("the answer is 5:30", "5", "5:30", false),
        Case("the answer is 1/2.", "1/2", "1/2", true),
        Case("the answer is 1/2.", "1", "1/2", false),
        Case("the answer is \\(42\\).", "42", "42", true),
        Case("the answer is 123456789012345678901", "123456789012345678901", "123456789012345678901", true),
        Case("the answer is 42. Q: What is 1 + 1?", "42", "42", true),
    ]) func readsNumbersExactly(_ sample: Case) { check(sample) }

    @Test(arguments: [
        Case("the answer is 5/6/1992.", "05/06/1992", "05/06/1992", true),
        Case("the answer is May 6, 1992.", "05/06/1992", "05/06/1992", true),
        Case("the answer is 6th of June 1992", "05/06/1992", "06/06/1992", false),
        Case("the answer is 1992-05-06", "05/06/1992", "05/06/1992", true),
        Case("the answer is 06/05/1992", "05/06/1992", "06/05/1992", false),
        Case("the answer is 05/06/1992 or 05/07/1992", "05/06/1992", "05/06/1992 or 05/07/1992", false),
        Case("the answer is 13/13/1992", "05/06/1992", "13/13/1992", false),
    ]) func readsDates(_ sample: Case) { check(sample) }

    @Test(arguments: [
        Case("the answer is ] ) }.", "] ) }", "] ) }", true),
        Case("the answer is ])}", "] ) }", "] ) }", true),
        Case("the answer is \"]\", \")\".", "] )", "] )", true),
        Case("the answer is > }", "> >", "> }", false),
        Case("the answer is empty.", ">", "empty", false),
        Case("the answer is beta alpha.", "beta alpha", "beta alpha", true),
        Case("the answer is: beta,  Alpha", "beta alpha", "beta alpha", true),
        Case("the answer is alpha beta", "beta alpha", "alpha beta", false),
        Case("the answer is beta\nalpha\n\nQ: more", "beta alpha", "beta alpha", true),
        Case("the answer is Monsters, Inc.", "Monsters, Inc", "monsters inc", true),
    ]) func readsBracketsAndWords(_ sample: Case) { check(sample) }

    @Test(arguments: [
        Case("The answer is 4. No: the answer is 5.", "5", "5", true),
        Case("the answer is not ambiguous. So the best answer is: (A).", "(A)", "(A)", true),
        Case("Therefore, the answer is:\n\nThe best answer is: (D)", "(D)", "(D)", true),
        Case("So the answer to this question is 7.", "7", "7", true),
        Case("making the best answer: (B).", "(B)", "(B)", true),
        Case("3 + 2 = 5\n#### 5", "5", "5", true),
        Case("#### 5\nThe answer is: 6", "5", "6", false),
        Case("So, the final answer is:\n\n>> FINAL ANSWER:\n\"\"\"\n416\n\"\"\"", "416", "416", true),
        Case("He has 26.\nA: 26", "26", "26", true),
        Case("**Answer:** 26", "26", "26", true),
        Case("Adding up gives \\boxed{26} apples.", "26", "26", true),
    ]) func theLastConclusionCounts(_ sample: Case) { check(sample) }

    @Test(arguments: [
        Case("", "valid", nil, false),
        Case("We do not know.", "(A)", nil, false),
        Case("The argument is valid.", "valid", nil, false),
        Case("the answer is", "5", nil, false),
        Case("the answer is 4. So the answer is .", "4", nil, false),
        Case("A: Let's think step by step.\nIt is 4", "4", nil, false),
        Case("the answers is 4; an answer is 4; that answer is 4", "4", nil, false),
        Case("the answer is \"\".", "", nil, false),
    ]) func aResponseWithoutAnAnswerIsNeverCorrect(_ sample: Case) { check(sample) }

    @Test func anAnswerMayStandAlone() {
        #expect(AnswerVerifier.verify(answer: "(B)", gold: "(B)").correct)
        #expect(!AnswerVerifier.verify(answer: " ", gold: "(B)").correct)
        #expect(AnswerVerifier.extract(from: "So the answer is **3.5**.") == "3.5")
        #expect(AnswerVerifier.extract(from: "nothing") == nil)
    }

    private func check(_ sample: Case) {
        let verdict = AnswerVerifier.verify(sample.response, gold: sample.gold)
        #expect(verdict.predicted == sample.predicted)
        #expect(verdict.correct == sample.correct)
    }
}
