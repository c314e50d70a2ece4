import Reasoning

/// Rows of an evaluation: one a task, then all questions counted once, and the mean over the tasks.
enum AccuracyTable {
    static func rows(set: String, answers: [(task: String, correct: Bool, unparsed: Bool)]) -> [Accuracy] {
        var counts: [[UInt8]: (task: String, n: Int, correct: Int, unparsed: Int)] = [:]
        for answer in answers {
            var count = counts[Array(answer.task.utf8)] ?? (answer.task, 0, 0, 0)
            count.n += 1
            count.correct += answer.correct ? 1 : 0
            count.unparsed += answer.unparsed ? 1 : 0
            counts[Array(answer.task.utf8)] = count
        }
        let tasks = counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
        let total = tasks.reduce((n: 0, correct: 0, unparsed: 0)) {
            ($0.n + $1.n, $0.correct + $1.correct, $0.unparsed + $1.unparsed)
        }
        guard total.n > 0 else { return [] }
        let macro = tasks.reduce(0.0) { $0 + Double($1.correct) / Double($1.n) } / Double(tasks.count)
        let spread = WilsonInterval(share: macro, of: total.n)
        return tasks.map {
            row("\(set)/task:\($0.task)", n: $0.n, correct: $0.correct, unparsed: $0.unparsed)
        } + [
            row("\(set)/all", n: total.n, correct: total.correct, unparsed: total.unparsed),
            Accuracy(
                id: "\(set)/macro", n: total.n, correct: total.correct, unparsed: total.unparsed, accuracy: macro,
                low: spread.low, high: spread.high),
        ]
    }

    private static func row(_ id: String, n: Int, correct: Int, unparsed: Int) -> Accuracy {
        let interval = WilsonInterval(correct: correct, of: n)
        return Accuracy(
            id: id, n: n, correct: correct, unparsed: unparsed, accuracy: Double(correct) / Double(n),
            low: interval.low, high: interval.high)
    }
}
