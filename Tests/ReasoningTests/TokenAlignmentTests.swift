import CanonicalJSON
import SeededRandomness
import TestData
import Testing

@testable import Reasoning

@Suite struct TokenAlignmentTests {
    static let goldens = "goldens/align/goldens.json"

    @Test func equalsTheOracleOnRandomPairs() {
        var random = SplitMix(seed: 1)
        for _ in 0..<10_000 {
            let alphabet = Int32.random(in: 1...4, using: &random)
            let (a, b) = (sequence(upTo: 6, alphabet, &random), sequence(upTo: 6, alphabet, &random))
            let (oracle, found) = (ScriptOracle(correct: a, wrong: b), TokenAlignment(correct: a, wrong: b))
            guard found.distance == oracle.distance, found.segments.count == oracle.runs,
                found.correctMask == oracle.correctMask, found.wrongMask == oracle.wrongMask
            else {
                Issue.record("\(a) and \(b): \(found), expected \(oracle)")
                return
            }
        }
    }

    @Test func exchangingTheSidesExchangesTheMasks() {
        var random = SplitMix(seed: 2)
        for _ in 0..<2000 {
            let alphabet = [2, 5, 50].randomElement(using: &random)!
            let (a, b) = pair(upTo: 150, alphabet, &random)
            let (there, back) = (TokenAlignment(correct: a, wrong: b), TokenAlignment(correct: b, wrong: a))
            #expect(there.correctMask == back.wrongMask && there.wrongMask == back.correctMask)
            #expect(there.segments.map(\.correct) == back.segments.map(\.wrong))
            #expect(there.distance == back.distance)
        }
    }

    /// Longer sequences against a plain table of (distance, runs): several words a column, several blocks.
    @Test func findsTheFewestRunsInLongPairs() {
        var random = SplitMix(seed: 3)
        for _ in 0..<150 {
            let alphabet = [2, 3, 10, 1000].randomElement(using: &random)!
            let (a, b) = pair(upTo: 300, alphabet, &random)
            let found = TokenAlignment(correct: a, wrong: b)
            let expected = fewestRuns(a, b)
            #expect(found.distance == expected.distance)
            #expect(found.segments.count == expected.runs)
            #expect(cost(of: found, a, b) == found.distance)
        }
    }

    @Test(arguments: [1, 2, 7, 64, 1000]) func theBlockSizeDoesNotShow(_ blockColumns: Int) {
        var random = SplitMix(seed: 4)
        for _ in 0..<60 {
            let (a, b) = pair(upTo: 140, [2, 6, 100].randomElement(using: &random)!, &random)
            guard !a.isEmpty, !b.isEmpty else { continue }
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    var whole = RunSearch(rows: a, columns: b)
                    var blocks = RunSearch(rows: a, columns: b, blockColumns: blockColumns)
                    let (expected, found) = (whole.runs(), blocks.runs())
                    #expect(expected.map(\.rows) == found.map(\.rows))
                    #expect(expected.map(\.columns) == found.map(\.columns))
                }
            }
        }
    }

    @Test func emptyAndEqualSides() {
        for mode in TokenAlignment.Mode.allCases {
            let nothing = TokenAlignment(correct: [], wrong: [], mode: mode)
            #expect(nothing.distance == 0 && nothing.segments.isEmpty && nothing.keyShare == 0)
            let equal = TokenAlignment(correct: [1, 2, 3], wrong: [1, 2, 3], mode: mode)
            #expect(equal.distance == 0 && equal.segments.isEmpty && equal.correctMask == [false, false, false])
            let oneSided = TokenAlignment(correct: [], wrong: [4, 5], mode: mode)
            #expect(oneSided.distance == 2 && oneSided.wrongMask == [true, true] && oneSided.keyShare == 1)
            #expect(oneSided.segments == [.init(correct: 0..<0, wrong: 0..<2)])
            #expect(oneSided.segments[0].operation == .delete)
        }
    }

    @Test func prefersOnePhraseToConfetti() {
        // "a b c" → "b c a" costs 2 either way of moving; a plain walk may cut the phrase in two.
        let found = TokenAlignment(correct: [1, 2, 3, 9, 4, 5, 6], wrong: [1, 2, 3, 4, 5, 6])
        #expect(found.segments == [.init(correct: 3..<4, wrong: 3..<3)])
        let replaced = TokenAlignment(correct: [1, 7, 8, 2], wrong: [1, 8, 7, 2])
        #expect(replaced.segments == [.init(correct: 1..<3, wrong: 1..<3)])
    }

    @Test(.enabled(if: SharedData.exists(goldens), "needs ../shared/\(goldens)"))
    func referenceModeGivesThePublishedMasks() throws {
        let rows = try #require(JSON.parse(SharedData.bytes(Self.goldens)).array)
        #expect(rows.count > 100)
        for row in rows {
            let object = try #require(row.object)
            let a = try object.array("a").map { Int32($0.integer!) }
            let b = try object.array("b").map { Int32($0.integer!) }
            let reference = TokenAlignment(correct: a, wrong: b, mode: .reference)
            let (distance, ma, mb) = (try object.integer("lev"), try object.string("ma"), try object.string("mb"))
            #expect(reference.distance == distance)
            #expect(reference.correctMask.map { $0 ? "1" : "0" }.joined() == ma)
            #expect(reference.wrongMask.map { $0 ? "1" : "0" }.joined() == mb)
            let minimal = TokenAlignment(correct: a, wrong: b)
            #expect(minimal.distance == distance)
            #expect(cost(of: minimal, a, b) == distance)
        }
    }

    // MARK: Pairs and checks

    private func sequence(upTo limit: Int, _ alphabet: Int32, _ random: inout SplitMix) -> [Int32] {
        (0..<Int.random(in: 0...limit, using: &random)).map { _ in Int32.random(in: 0..<alphabet, using: &random) }
    }

    /// A random sequence and an edited copy of it, or an unrelated one.
    private func pair(upTo limit: Int, _ alphabet: Int, _ random: inout SplitMix) -> ([Int32], [Int32]) {
        let a = sequence(upTo: limit, Int32(alphabet), &random)
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            return (a, sequence(upTo: limit, Int32(alphabet), &random))
        }
        var b: [Int32] = []
        for token in a {
            switch Int.random(in: 0..<20, using: &random) {
            case 0: break
            case 1: b += [token, Int32.random(in: 0..<Int32(alphabet), using: &random)]
            case 2: b.append(Int32.random(in: 0..<Int32(alphabet), using: &random))
            default: b.append(token)
            }
        }
        return (a, b)
    }

    /// Segments are separated by at least one match, what lies between them is equal, and together they cost this.
    private func cost(of alignment: TokenAlignment, _ a: [Int32], _ b: [Int32]) -> Int {
        var (row, column, cost) = (0, 0, 0)
        for (index, segment) in alignment.segments.enumerated() {
            #expect(a[row..<segment.correct.lowerBound] == b[column..<segment.wrong.lowerBound])
            #expect(index == 0 || segment.correct.lowerBound > row)
            cost += max(segment.correct.count, segment.wrong.count)
            (row, column) = (segment.correct.upperBound, segment.wrong.upperBound)
        }
        #expect(a[row...] == b[column...])
        return cost
    }

    private func fewestRuns(_ a: [Int32], _ b: [Int32]) -> (distance: Int, runs: Int) {
        let far = 1 << 40
        let scale = 1 << 16
        var closed = [[Int]](repeating: [Int](repeating: far, count: b.count + 1), count: a.count + 1)
        var open = closed
        closed[0][0] = 0
        for i in 0...a.count {
            for j in 0...b.count {
                if i > 0, j > 0, a[i - 1] == b[j - 1] {
                    closed[i][j] = min(closed[i - 1][j - 1], open[i - 1][j - 1])
                }
                for (di, dj) in [(1, 1), (1, 0), (0, 1)] where i >= di && j >= dj {
                    let before = min(open[i - di][j - dj], closed[i - di][j - dj] + 1)
                    open[i][j] = min(open[i][j], before + scale)
                }
            }
        }
        let best = min(closed[a.count][b.count], open[a.count][b.count])
        return (best / scale, best % scale)
    }
}
