import Testing

@testable import Reasoning

@Suite struct KeyStepAgreementTests {
    private func agreement(
        _ correct: String, _ wrong: String, _ truth: KeyStepTruth, method: AlignmentMethod = AlignmentMethod()
    ) -> KeyStepAgreement {
        let (a, b) = TokenizedText.words(correct: correct, wrong: wrong)
        var agreement = KeyStepAgreement()
        agreement.add(TokenAlignment(correct: a, wrong: b, method: method), correct: a, wrong: b, truth: truth)
        return agreement
    }

    @Test func tokensAreCountedOfTheKnownSides() {
        // Six tokens a side; "4" and "9" are known, "so" is key but not known.
        let one = agreement("It is 4 . so yes", "It is 9 . thus yes", KeyStepTruth(wrong: [6..<7]))
        #expect(one.tokens == 6 && one.keyTokens == 2 && one.trueTokens == 1 && one.hits == 1)
        #expect(one.precision == 0.5 && one.recall == 1 && one.f1 == 2.0 / 3 && one.found == 1)
        let both = agreement("It is 4 . so yes", "It is 9 . thus yes", KeyStepTruth(correct: [6..<7], wrong: [6..<7]))
        #expect(both.tokens == 12 && both.keyTokens == 4 && both.trueTokens == 2 && both.hits == 2)
        #expect(both.keyShare == 4.0 / 12 && both.trueShare == 2.0 / 12)
    }

    @Test func theFirstDifferenceIsPlaced() {
        let text = "One is 1. Two is 2. Six is 6."
        func first(_ wrong: String, mistake: Range<Int>) -> [Double] {
            let found = agreement(text, wrong, KeyStepTruth(wrong: [mistake]))
            let places = KeyStepAgreement.Place.allCases.map(found.first)
            return places + [found.firstInStep, Double(found.medianStepOffset)]
        }
        // The known mistake is the 2 of the second sentence, or what stands in its place.
        #expect(first("One is 1. Two is 7. Six is 6.", mistake: 17..<18) == [0, 1, 0, 1, 0])
        #expect(first("One is 9. Two is 7. Six is 6.", mistake: 17..<18) == [1, 0, 0, 0, -1])
        #expect(first("One is 1. Two is 2. Six is 9.", mistake: 17..<18) == [0, 0, 1, 0, 1])
        #expect(first("One is 1. Two is 7 7. Six is 6.", mistake: 19..<20) == [1, 0, 0, 1, 0])
    }

    @Test func equalSidesAreNotFound() {
        let equal = agreement("a b", "a b", KeyStepTruth(wrong: [0..<1]))
        #expect(equal.pairs == 1 && equal.found == 0 && equal.recall == 0 && equal.precision == 0)
        #expect(KeyStepAgreement.Place.allCases.allSatisfy { equal.first($0) == 0 } && equal.firstInStep == 0)
    }

    @Test func pairsOfWhichNothingIsKnownAreLeftOut() {
        #expect(agreement("a", "b", KeyStepTruth(wrong: [])).pairs == 0)
        #expect(agreement("a", "b", KeyStepTruth(wrong: [0..<0])) == KeyStepAgreement())
        #expect(KeyStepAgreement().f1 == 0 && KeyStepAgreement().medianStepOffset == 0)
    }

    @Test func everyMethodHasANameOfItsOwn() {
        #expect(Set(AlignmentMethod.all.map(\.name)).count == 7)
        #expect(AlignmentMethod.all[0] == AlignmentMethod())
        #expect(AlignmentMethod.all[1].name == "minimal tokens, widened")
    }
}
