/// Counts verdicts by task and makes the rows of an evaluation.
public struct AccuracyTable: Sendable {
    private struct Counts {
        var n = 0
        var correct = 0
        var unparsed = 0
    }

    private var tasks: [String: Counts] = [:]

    public init() {}

    public mutating func add(task: String, correct: Bool, unparsed: Bool) {
        tasks[task, default: Counts()].n += 1
        if correct { tasks[task, default: Counts()].correct += 1 }
        if unparsed { tasks[task, default: Counts()].unparsed += 1 }
    }

    public mutating func add(_ generation: Generation) {
        add(task: generation.task, correct: generation.correct, unparsed: generation.predicted == nil)
    }

    /// One row a task in the order of their names, then `macro`, the mean of the tasks' accuracies, then `all`, each
    /// question counted once. No rows without a question.
    ///
    /// The interval of `macro` is the normal one for a mean of independent proportions, with each task's variance
    /// taken from its Wilson interval.
    public var rows: [Accuracy] {
        guard !tasks.isEmpty else { return [] }
        let names = tasks.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        var rows = names.map { AccuracyTable.row(id: "task:\($0)", tasks[$0]!) }
        var total = Counts()
        for name in names {
            total.n += tasks[name]!.n
            total.correct += tasks[name]!.correct
            total.unparsed += tasks[name]!.unparsed
        }
        let mean = rows.reduce(0) { $0 + $1.accuracy } / Double(rows.count)
        let halfWidths = rows.map { ($0.high - $0.low) / 2 }
        let margin = halfWidths.reduce(0) { $0 + $1 * $1 }.squareRoot() / Double(rows.count)
        rows.append(
            Accuracy(
                id: "macro", n: total.n, correct: total.correct, unparsed: total.unparsed, accuracy: mean,
                low: max(0, mean - margin), high: min(1, mean + margin)))
        rows.append(AccuracyTable.row(id: "all", total))
        return rows
    }

    private static func row(id: String, _ counts: Counts) -> Accuracy {
        let interval = WilsonInterval(successes: counts.correct, n: counts.n)
        return Accuracy(
            id: id, n: counts.n, correct: counts.correct, unparsed: counts.unparsed,
            accuracy: Double(counts.correct) / Double(counts.n), low: interval.low, high: interval.high)
    }
}
