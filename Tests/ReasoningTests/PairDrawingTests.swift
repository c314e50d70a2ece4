import Testing

@testable import Reasoning

@Suite struct PairDrawingTests {
    private func draw(_ style: PairDrawing.Style, _ correct: String, _ wrong: String) -> [String] {
        let (a, b) = TokenizedText.words(correct: correct, wrong: wrong)
        let segments = TokenAlignment(correct: a, wrong: b).segments
        return PairDrawing(style).lines(
            correct: (correct, segments.map { a.bytes(of: $0.correct) }),
            wrong: (wrong, segments.map { b.bytes(of: $0.wrong) }))
    }

    @Test func keyStepsAreMarked() {
        #expect(draw(.plain, "It is 4 now", "It is 5 now") == ["right: It is {+4+} now", "wrong: It is [-5-] now"])
        #expect(draw(.markdown, "It is 4 now", "It is now") == ["right: It is **4** now", "wrong: It is now"])
        #expect(draw(.colour, "a", "b") == ["right: \u{1B}[1;32ma\u{1B}[0m", "wrong: \u{1B}[1;31mb\u{1B}[0m"])
        #expect(draw(.html, "a <4", "a <5") == ["right: a &lt;<ins>4</ins>", "wrong: a &lt;<del>5</del>"])
        #expect(draw(.plain, "same", "same") == ["right: same", "wrong: same"])
    }

    @Test func noTextTakesOverTheTerminalOrTheTable() {
        #expect(
            draw(.plain, "\u{1B}[2J\r", "\u{7F}\u{202E}") == [
                "right: {+\u{241B}[2J\u{240D}+}", "wrong: [-\u{FFFD}\u{FFFD}-]",
            ])
        #expect(draw(.markdown, "a|b *c*\nd", "a|b *c*\nd")[0] == "right: a\\|b \\*c\\* d")
    }
}
