import Reasoning

extension TaskFamily {
    /// A wrong chain of thought: one mistake, its consequences followed to another answer, everything else as in the
    /// right one.
    ///
    /// The mistakes that the problem offers are tried in an order that the seed fixes, a seeded kind first. The first
    /// one wins that changes the answer and at most `share` of the words; if none is that small, the smallest.
    ///
    /// - Parameters:
    ///   - seed: equal seeds give equal mistakes.
    ///   - target: when given, only mistakes that lead to an answer it accepts count.
    ///   - share: wanted greatest share of words inserted, deleted or replaced, of the longer of the two texts.
    /// - Returns: nil when the problem cannot be solved or no single mistake leads to such an answer.
    /// - Complexity: at most one solution and one alignment for each mistake that is possible.
    public func mistakenDerivation(
        of problem: Problem, wording: Wording, seed: UInt64, share: Double = 0.25,
        target: ((String) -> Bool)? = nil
    ) -> Derivation? {
        guard let right = derive(problem, wording: wording) else { return nil }
        var best: (share: Double, derivation: Derivation)?
        for candidates in attempts(from: right.opportunities, seed: seed) {
            for slip in candidates {
                guard let wrong = derive(problem, wording: wording, slip: slip), wrong.answer != right.answer,
                    target?(wrong.answer) ?? true
                else { continue }
                let difference = differingShare(right.text, wrong.text)
                if difference <= share { return wrong }
                if difference < best?.share ?? .infinity { best = (difference, wrong) }
            }
            if best != nil { break }
        }
        return best?.derivation
    }

    /// The mistakes in the order of trying: the usual ones, then those of last resort.
    private func attempts(from opportunities: [Slip], seed: UInt64) -> [[Slip]] {
        var generator = SeededGenerator(seed: seed, "mistake", name)
        let kinds = generator.shuffled([Mistake.Kind.logical, .knowledge, .calculation])
        let shuffled = generator.shuffled(opportunities)
        let usual = kinds.flatMap { kind in shuffled.filter { $0.kind == kind && !$0.isLastResort } }
        return [usual, shuffled.filter(\.isLastResort)]
    }
}

/// The share of words, separated by spaces and line ends, that a minimum edit script inserts, deletes or replaces, of
/// the longer text. O(n·m) behind the common prefix and suffix.
func differingShare(_ a: String, _ b: String) -> Double {
    func words(_ text: String) -> [Substring] { text.split { $0 == " " || $0 == "\n" } }
    let x = words(a)
    let y = words(b)
    let longer = max(x.count, y.count)
    guard longer > 0 else { return 0 }
    var start = 0
    while start < x.count, start < y.count, x[start] == y[start] { start += 1 }
    var xEnd = x.count
    var yEnd = y.count
    while xEnd > start, yEnd > start, x[xEnd - 1] == y[yEnd - 1] {
        xEnd -= 1
        yEnd -= 1
    }
    var row = Array(0...(yEnd - start))
    for i in start..<xEnd {
        var diagonal = row[0]
        row[0] += 1
        for j in start..<yEnd {
            let replaced = diagonal + (x[i] == y[j] ? 0 : 1)
            diagonal = row[j - start + 1]
            row[j - start + 1] = min(replaced, diagonal + 1, row[j - start] + 1)
        }
    }
    return Double(row[yEnd - start]) / Double(longer)
}
