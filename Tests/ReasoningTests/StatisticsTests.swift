import Reasoning
import Testing

@Suite struct StatisticsTests {
    /// Reference values from a separate computation of the formula; 81 of 263 is a common textbook example.
    @Test(arguments: [
        (0, 10, 0.0, 0.2775327998628892), (5, 10, 0.2365930905125640, 0.7634069094874361),
        (10, 10, 0.7224672001371106, 1.0), (81, 263, 0.2552885198782742, 0.3662095769828004),
        (1, 1, 0.2065493143772375, 1.0),
    ]) func wilsonIntervals(_ successes: Int, _ n: Int, _ low: Double, _ high: Double) {
        let interval = WilsonInterval(successes: successes, n: n)
        #expect(abs(interval.low - low) < 1e-12 && abs(interval.high - high) < 1e-12, "\(interval)")
    }

    @Test func anIntervalWithoutTrialsIsEverything() {
        #expect(WilsonInterval(successes: 0, n: 0) == WilsonInterval(successes: 0, n: 0))
        #expect(WilsonInterval(successes: 0, n: 0).low == 0 && WilsonInterval(successes: 0, n: 0).high == 1)
    }

    @Test func accuracyByTaskMacroAndAll() {
        var table = AccuracyTable()
        #expect(table.rows.isEmpty)
        for index in 0..<4 { table.add(task: "b", correct: index < 3, unparsed: index == 3) }
        table.add(task: "a", correct: false, unparsed: false)
        table.add(task: "a", correct: true, unparsed: false)
        let rows = table.rows
        #expect(rows.map(\.id) == ["task:a", "task:b", "macro", "all"])
        #expect(rows.map(\.n) == [2, 4, 6, 6])
        #expect(rows.map(\.correct) == [1, 3, 4, 4])
        #expect(rows.map(\.unparsed) == [0, 1, 1, 1])
        #expect(rows.map(\.accuracy) == [0.5, 0.75, 0.625, 4.0 / 6])
        for row in rows { #expect(row.low < row.accuracy && row.accuracy < row.high) }
    }

    @Test func keySharesByTaskAndOrigin() {
        var table = KeyShareTable()
        table.add(alignment(task: "t", origin: .correctFirst, edits: [1]))
        table.add(alignment(task: "t", origin: .wrongFirst, edits: [0, 3]))
        table.add(alignment(task: "s", origin: .wrongFirst, edits: []))
        let rows: [KeyShareTable.Row] = table.rows
        let shares: [Double] = [0, 6.0 / 16, 2.0 / 8, 4.0 / 16, 6.0 / 24]
        #expect(rows.map(\.id) == ["task:s", "task:t", "origin:correct-first", "origin:wrong-first", "all"])
        #expect(rows.map(\.pairs) == [1, 2, 1, 2, 3])
        #expect(rows.map(\.keyShare) == shares)
        #expect(rows.map(\.medianKeyShare) == [0, 0.375, 0.25, 0.25, 0.25])
        #expect(rows.map(\.meanSegments) == [0, 1.5, 1, 1, 1])
        #expect(rows.map(\.meanDistance) == [0, 1.5, 1, 1, 1])
    }

    @Test func wordsAreComparedByTheirBytes() {
        #expect(WordDifference("a b  c\n", "a x c").distance == 1)
        #expect(WordDifference("a b c", "a x c").share == 2.0 / 6)
        #expect(WordDifference("caf\u{E9}", "cafe\u{301}").distance == 1)
        #expect(WordDifference("", " \n") == WordDifference("same", "same"))
    }

    @Test func alignedPairsCarryByteSpans() {
        let pair = self.pair(task: "t", origin: .natural, edits: [1])
        let alignment = TokenAlignment(correct: [0, 1, 2, 3], wrong: [0, 9, 2])
        let record = Alignment(
            pair: pair, alignment: alignment,
            correct: TokenizedText(text: pair.correctCoT, ids: [0, 1, 2, 3], spans: [0..<1, 2..<3, 4..<5, 6..<7]),
            wrong: TokenizedText(text: pair.wrongCoT, ids: [0, 9, 2], spans: [0..<1, 2..<3, 4..<5]))
        #expect(
            record.segments == [
                .init(operation: .replace, correct: 2..<3, wrong: 2..<3),
                .init(operation: .insert, correct: 6..<7, wrong: 7..<7),
            ])
        #expect(record.distance == 2 && record.keyShare == 3.0 / 7)
    }

    /// Four words a side, `w0 w1 w2 w3`, some of them different.
    private func pair(task: String, origin: DualPair.Origin, edits: Set<Int>) -> DualPair {
        DualPair(
            id: "i", task: task, question: "q", answer: "a", correctCoT: "0 1 2 3",
            wrongCoT: (0..<4).map { edits.contains($0) ? "x" : "\($0)" }.joined(separator: " "), correctPredicted: "a",
            wrongPredicted: "b", origin: origin, differingShare: 0)
    }

    private func alignment(task: String, origin: DualPair.Origin, edits: Set<Int>) -> Alignment {
        let spans = (0..<4).map { 2 * $0..<2 * $0 + 1 }
        let pair = pair(task: task, origin: origin, edits: edits)
        let correct = TokenizedText(text: pair.correctCoT, ids: [0, 1, 2, 3], spans: spans)
        let wrong = TokenizedText(
            text: pair.wrongCoT, ids: (0..<4).map { edits.contains(Int($0)) ? 9 : $0 }, spans: spans)
        return Alignment(
            pair: pair, alignment: TokenAlignment(correct: correct, wrong: wrong), correct: correct, wrong: wrong)
    }
}
