import Reasoning

/// Finds the script of `TokenAlignment.Mode.minimal` by looking at every script, for short sequences.
struct ScriptOracle {
    /// In order of preference.
    enum Step: Int {
        case match, replace, dropRow, dropColumn
    }

    let distance: Int
    let correctMask: [Bool]
    let wrongMask: [Bool]
    let runs: Int

    init(correct: [Int32], wrong: [Int32]) {
        let isSwapped =
            correct.count != wrong.count ? correct.count > wrong.count : wrong.lexicographicallyPrecedes(correct)
        let (rows, columns) = isSwapped ? (wrong, correct) : (correct, wrong)
        var enumeration = Enumeration(rows: rows, columns: columns)
        enumeration.visit(row: 0, column: 0, cost: 0)
        let best = enumeration.best!
        distance = best.cost
        runs = best.runs
        var (rowMask, columnMask): ([Bool], [Bool]) = ([], [])
        for step in best.steps {
            if step != .dropColumn { rowMask.append(step != .match) }
            if step != .dropRow { columnMask.append(step != .match) }
        }
        correctMask = isSwapped ? columnMask : rowMask
        wrongMask = isSwapped ? rowMask : columnMask
    }

    static func plainDistance(_ a: [Int32], _ b: [Int32]) -> Int {
        var above = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var row = [i + 1]
            for (j, y) in b.enumerated() {
                row.append(min(above[j + 1] + 1, row[j] + 1, above[j] + (x == y ? 0 : 1)))
            }
            above = row
        }
        return above[b.count]
    }

    private struct Enumeration {
        typealias Script = (cost: Int, runs: Int, steps: [Step])

        let rows: [Int32]
        let columns: [Int32]
        let distance: Int
        let prefix: Int
        let suffix: Int
        var steps: [Step] = []
        var best: Script?

        init(rows: [Int32], columns: [Int32]) {
            (self.rows, self.columns) = (rows, columns)
            distance = ScriptOracle.plainDistance(rows, columns)
            let prefix = zip(rows, columns).prefix { $0 == $1 }.count
            self.prefix = prefix
            suffix = zip(rows[prefix...].reversed(), columns[prefix...].reversed()).prefix { $0 == $1 }.count
        }

        mutating func visit(row: Int, column: Int, cost: Int) {
            guard cost <= distance else { return }
            if row == rows.count, column == columns.count { return consider(cost) }
            if row < rows.count, column < columns.count {
                let isMatch = rows[row] == columns[column]
                take(isMatch ? .match : .replace, row + 1, column + 1, cost + (isMatch ? 0 : 1))
            }
            if row < rows.count { take(.dropRow, row + 1, column, cost + 1) }
            if column < columns.count { take(.dropColumn, row, column + 1, cost + 1) }
        }

        private mutating func take(_ step: Step, _ row: Int, _ column: Int, _ cost: Int) {
            steps.append(step)
            visit(row: row, column: column, cost: cost)
            steps.removeLast()
        }

        private mutating func consider(_ cost: Int) {
            guard steps.prefix(prefix).allSatisfy({ $0 == .match }), steps.suffix(suffix).allSatisfy({ $0 == .match })
            else { return }
            var runs = 0
            for (index, step) in steps.enumerated() where step != .match && (index == 0 || steps[index - 1] == .match) {
                runs += 1
            }
            let script = (cost: cost, runs: runs, steps: steps)
            guard let best else {
                self.best = script
                return
            }
            let order = [script.cost - best.cost, script.runs - best.runs].first { $0 != 0 }
            let isEarlier = script.steps.map(\.rawValue).lexicographicallyPrecedes(best.steps.map(\.rawValue))
            if order.map({ $0 < 0 }) ?? isEarlier { self.best = script }
        }
    }
}
