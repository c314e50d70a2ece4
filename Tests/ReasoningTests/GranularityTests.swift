import SeededRandomness
import Testing

@testable import Reasoning

@Suite struct GranularityTests {
    @Test(arguments: [
        ("The sum is 3.5, not 1,000.", ["The", " sum", " is", " 3.5", ",", " not", " 1,000", "."]),
        ("don't  stop--now", ["don't", "  stop", "--", "now"]), ("a\n\nb \t", ["a", "\n\nb \t"]),
        ("  x", ["  x"]), ("", [""]), (" ", [" "]), ("cafe\u{301} (B)", ["cafe\u{301}", " (", "B", ")"]),
        ("x.", ["x", "."]), (".x", [".", "x"]), ("a.-b", ["a", ".", "-", "b"]),
    ]) func wordsOfAText(_ text: String, _ words: [String]) {
        #expect(units(text, TextUnits.words(of: text)) == words)
    }

    @Test(arguments: [
        ("One. Two? Three", ["One.", " Two?", " Three"]), ("He said \"no.\" Then", ["He said \"no.\"", " Then"]),
        ("1. First step. 2.5 is\n2. Second", ["1. First step.", " 2.5 is", "\n2. Second"]),
        ("A\n\n B\n", ["A", "\n\n B\n"]), ("", [""]), ("x... y", ["x...", " y"]),
    ]) func stepsOfAText(_ text: String, _ steps: [String]) {
        #expect(units(text, TextUnits.steps(of: text)) == steps)
    }

    /// Two tokens a word: "ab" is a and b.
    @Test func wordsAreComparedAsAWhole() {
        let (a, b) = (letters("ab cd ef"), letters("ab ce ef"))
        let tokens = TokenAlignment(correct: a, wrong: b)
        #expect(tokens.distance == 1 && tokens.correctMask == marks("----x---"))
        let words = TokenAlignment(correct: a, wrong: b, method: AlignmentMethod(granularity: .words))
        #expect(words.distance == 1 && words.correctMask == marks("--xxx---") && words.wrongMask == marks("--xxx---"))
        #expect(words.segments == [.init(correct: 2..<5, wrong: 2..<5)])
        let reference = TokenAlignment(
            correct: a, wrong: b, method: AlignmentMethod(mode: .reference, granularity: .words))
        #expect(reference.correctMask == words.correctMask && reference.wrongMask == words.wrongMask)
    }

    @Test func stepsAreComparedAsAWhole() {
        let (a, b) = (letters("ab. cd. ef."), letters("ab. cx. ef."))
        let steps = TokenAlignment(correct: a, wrong: b, method: AlignmentMethod(granularity: .steps))
        #expect(steps.distance == 1 && steps.correctMask == marks("---xxxx----"))
    }

    @Test func wideningTakesWholeWordsOnBothSides() {
        // "12" → "123": the 3 is inserted, and so the words 12 and 123 differ.
        let (a, b) = (letters("is 123 ok"), letters("is 12 ok"))
        let plain = TokenAlignment(correct: a, wrong: b)
        #expect(plain.correctMask == marks("-----x---") && plain.wrongMask == marks("--------"))
        let wide = TokenAlignment(correct: a, wrong: b, method: AlignmentMethod(widensToWords: true))
        #expect(wide.correctMask == marks("--xxxx---") && wide.wrongMask == marks("--xxx---"))
        #expect(wide.segments == [.init(correct: 2..<6, wrong: 2..<5)])
        #expect(wide.distance == plain.distance)
    }

    @Test func theEndOfASequenceIsAUnitOfItsOwn() {
        var (a, b) = (letters("ab"), letters("ac"))
        a.ids.append(9)
        a.spans.append(2..<2)
        b.ids.append(9)
        b.spans.append(2..<2)
        for granularity in Granularity.allCases {
            let alignment = TokenAlignment(correct: a, wrong: b, method: AlignmentMethod(granularity: granularity))
            #expect(alignment.correctMask.last == false && alignment.distance == 1)
        }
    }

    /// Whatever the method: segments are apart, what lies between them is equal, masks are those of the segments,
    /// units are whole, and exchanging the sides exchanges the answer.
    @Test func randomTextsInEveryMethod() {
        var random = SplitMix(seed: 5)
        for round in 0..<1500 {
            let a = letters(text(&random))
            let b = round % 3 == 0 ? letters(text(&random)) : letters(edited(a.text, &random))
            for granularity in Granularity.allCases {
                for widens in [false, true] {
                    let method = AlignmentMethod(granularity: granularity, widensToWords: widens)
                    let found = TokenAlignment(correct: a, wrong: b, method: method)
                    let back = TokenAlignment(correct: b, wrong: a, method: method)
                    #expect(found.correctMask == back.wrongMask && found.wrongMask == back.correctMask)
                    #expect(found.segments.map(\.correct) == back.segments.map(\.wrong))
                    #expect(found.distance == back.distance)
                    check(found, a, b)
                    if granularity != .steps, widens || granularity == .words {
                        for segment in found.segments {
                            #expect(isWhole(segment.correct, a) && isWhole(segment.wrong, b), "\(a.text) | \(b.text)")
                        }
                    }
                    let empty = TokenAlignment(correct: a, wrong: a, method: method)
                    #expect(empty.distance == 0 && empty.segments.isEmpty)
                }
            }
        }
    }

    @Test func withoutATokenizerTheWordsAreTheTokens() {
        let (a, b) = TokenizedText.words(correct: "It is 4.", wrong: "It is 5.")
        #expect(a.spans == [0..<2, 2..<5, 5..<7, 7..<8])
        let alignment = TokenAlignment(correct: a, wrong: b)
        #expect(alignment.correctMask == marks("--x-") && alignment.distance == 1)
        let (c, d) = TokenizedText.words(correct: "cafe\u{301}", wrong: "caf\u{E9}")
        #expect(c.ids != d.ids)
        let (e, f) = TokenizedText.words(correct: "", wrong: "")
        #expect(e.ids.isEmpty && f.spans.isEmpty)
    }

    // MARK: Texts

    private func units(_ text: String, _ units: TextUnits) -> [String] {
        let bytes = Array(text.utf8)
        var start = 0
        return units.ends.map { end in
            defer { start = end }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
    }

    /// A token a byte.
    private func letters(_ text: String) -> TokenizedText {
        TokenizedText(
            text: text, ids: text.utf8.map { Int32($0) }, spans: (0..<text.utf8.count).map { $0..<$0 + 1 })
    }

    private func marks(_ text: String) -> [Bool] { text.map { $0 == "x" } }

    private func text(_ random: inout SplitMix) -> String {
        (0..<Int.random(in: 0...30, using: &random)).map { _ in
            ["a", "b", "c", " ", ".", "\n", "1"].randomElement(using: &random)!
        }.joined()
    }

    private func edited(_ text: String, _ random: inout SplitMix) -> String {
        text.map {
            Int.random(in: 0..<8, using: &random) == 0
                ? ["", "a", " ", "ab"].randomElement(using: &random)! : String($0)
        }
        .joined()
    }

    private func check(_ alignment: TokenAlignment, _ a: TokenizedText, _ b: TokenizedText) {
        var (row, column) = (0, 0)
        for (index, segment) in alignment.segments.enumerated() {
            #expect(a.ids[row..<segment.correct.lowerBound] == b.ids[column..<segment.wrong.lowerBound])
            #expect(index == 0 || segment.correct.lowerBound > row)
            (row, column) = (segment.correct.upperBound, segment.wrong.upperBound)
        }
        #expect(a.ids[row...] == b.ids[column...])
        #expect(alignment.correctMask == TokenAlignment.mask(a.ids.count, alignment.segments.map(\.correct)))
        #expect(alignment.wrongMask == TokenAlignment.mask(b.ids.count, alignment.segments.map(\.wrong)))
    }

    private func isWhole(_ tokens: Range<Int>, _ text: TokenizedText) -> Bool {
        let boundaries = TokenUnits(text, .words).boundaries
        return boundaries[tokens.lowerBound] && boundaries[tokens.upperBound]
    }
}
