import Reasoning

/// Questions about a small table: `name, age, height … Which penguin is the oldest?`, with options.
///
/// Solved row by row, with the best so far or a running count.
public struct AnimalsInATable: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var animal: String
        var columns: [String]
        var rows: [Row]
        /// A row that the question adds or removes.
        var change: Change?
        var query: Query
        var options: [String]
    }

    struct Row: Sendable, Equatable {
        var name: String
        var values: [Int]
    }

    enum Change: Sendable, Equatable {
        case add(Row)
        case remove(String)
    }

    enum Query: Sendable, Equatable {
        /// Which one is the greatest (or least) in a column?
        case extreme(column: String, isGreatest: Bool)
        /// How many are above (or below) a bound?
        case count(column: String, isAbove: Bool, bound: Int)
    }

    private struct Column {
        var name: String
        var greater: (comparative: String, superlative: String)
        var lesser: (comparative: String, superlative: String)
        var values: ClosedRange<Int>
    }

    public var name: String { "animals_in_a_table" }
    public var summary: String { "Answer a question about a table of animals." }

    private static let animals = ["penguin", "giraffe", "rabbit"]
    private static let columns = [
        Column(name: "age", greater: ("older", "oldest"), lesser: ("younger", "youngest"), values: 1...15),
        Column(name: "height", greater: ("taller", "tallest"), lesser: ("shorter", "shortest"), values: 20...60),
        Column(name: "weight", greater: ("heavier", "heaviest"), lesser: ("lighter", "lightest"), values: 10...40),
    ]

    private func column(_ name: String) -> Column { Self.columns.first { $0.name == name } ?? Self.columns[0] }

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let columns = Array(Self.columns.prefix([1, 2, 2, 3][level - 1]))
        let size = [4, 4, 5, 6][level - 1]
        let names = generator.sample(size, of: Vocabulary.names)
        let values = columns.map { generator.sample(size, of: Array($0.values)) }
        var rows = names.indices.map { row in Row(name: names[row], values: values.map { $0[row] }) }
        var change: Change?
        if level > 2 {
            change = generator.chance(0.5) ? .add(rows.removeLast()) : .remove(generator.element(of: names))
        }
        let column = generator.element(of: columns)
        let side = generator.chance(0.5)
        let query: Query =
            generator.chance(0.5)
            ? .extreme(column: column.name, isGreatest: side)
            : .count(column: column.name, isAbove: side, bound: generator.integer(in: column.values))
        let numbers = (0...size).map { String($0) }
        let isCount = if case .count = query { true } else { false }
        return Problem(
            animal: generator.element(of: Self.animals), columns: columns.map(\.name), rows: rows, change: change,
            query: query, options: isCount ? numbers : generator.shuffled(names))
    }

    public func question(for problem: Problem) -> String {
        var text = (["name"] + problem.columns).joined(separator: ", ")
        for row in problem.rows { text += "\n" + line(row) }
        text += "\n"
        switch problem.change {
        case .add(let row): text += "Add \(line(row)). "
        case .remove(let name): text += "Remove \(name). "
        case nil: break
        }
        switch problem.query {
        case .extreme(let name, let isGreatest):
            let column = column(name)
            text += "Which \(problem.animal) is the \((isGreatest ? column.greater : column.lesser).superlative)?"
        case .count(let name, let isAbove, let bound):
            let column = column(name)
            text += "How many \(problem.animal)s are "
            text += "\((isAbove ? column.greater : column.lesser).comparative) than \(bound)?"
        }
        return text + "\n" + AnswerOptions(problem.options).text
    }

    private func line(_ row: Row) -> String { ([row.name] + row.values.map { String($0) }).joined(separator: ", ") }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        guard scanner.accept("name") else { return nil }
        var columns: [String] = []
        while scanner.accept(",") {
            guard let name = scanner.accept(anyOf: Self.columns.map(\.name)), !columns.contains(name) else {
                return nil
            }
            columns.append(name)
        }
        var rows: [Row] = []
        var change: Change?
        while true {
            if scanner.accept("Add") {
                guard change == nil, let row = row(&scanner, columns.count), scanner.accept(".") else { return nil }
                change = .add(row)
            } else if scanner.accept("Remove") {
                guard change == nil, let name = scanner.word(), rows.contains(where: { $0.name == name }),
                    scanner.accept(".")
                else { return nil }
                change = .remove(name)
            } else if scanner.accept("Which") {
                return extreme(&scanner, columns, rows, change)
            } else if scanner.accept("How many") {
                return count(&scanner, columns, rows, change)
            } else {
                guard let row = row(&scanner, columns.count), !rows.contains(where: { $0.name == row.name }) else {
                    return nil
                }
                rows.append(row)
            }
        }
    }

    private func row(_ scanner: inout TextScanner, _ columns: Int) -> Row? {
        guard let name = scanner.word() else { return nil }
        var values: [Int] = []
        for _ in 0..<columns {
            guard scanner.accept(","), let value = scanner.number() else { return nil }
            values.append(value)
        }
        return Row(name: name, values: values)
    }

    private func extreme(
        _ scanner: inout TextScanner, _ columns: [String], _ rows: [Row], _ change: Change?
    ) -> Problem? {
        guard let animal = scanner.word(), scanner.accept("is the"), let word = scanner.word(), scanner.accept("?"),
            let column = Self.columns.first(where: { $0.greater.superlative == word || $0.lesser.superlative == word }),
            columns.contains(column.name), let options = AnswerOptions(&scanner)
        else { return nil }
        let query = Query.extreme(column: column.name, isGreatest: column.greater.superlative == word)
        return Problem(
            animal: animal, columns: columns, rows: rows, change: change, query: query, options: options.values)
    }

    private func count(
        _ scanner: inout TextScanner, _ columns: [String], _ rows: [Row], _ change: Change?
    ) -> Problem? {
        guard let animals = scanner.word(), animals.hasSuffix("s"), scanner.accept("are"), let word = scanner.word(),
            scanner.accept("than"), let bound = scanner.number(), scanner.accept("?"),
            let column = Self.columns.first(where: { $0.greater.comparative == word || $0.lesser.comparative == word }),
            columns.contains(column.name), let options = AnswerOptions(&scanner)
        else { return nil }
        let query = Query.count(
            column: column.name, isAbove: column.greater.comparative == word, bound: bound)
        return Problem(
            animal: String(animals.dropLast()), columns: columns, rows: rows, change: change, query: query,
            options: options.values)
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        var rows = problem.rows
        switch problem.change {
        case .add(let row):
            rows.append(row)
            pad.write("\(row.name) is added. ")
        case .remove(let name):
            rows.removeAll { $0.name == name }
            pad.write("\(name) is left out. ")
        case nil: break
        }
        guard !rows.isEmpty else { return nil }
        let answer =
            switch problem.query {
            case .extreme(let name, let isGreatest):
                extreme(rows, of: name, in: problem, isGreatest: isGreatest, on: &pad)
            case .count(let name, let isAbove, let bound):
                count(rows, of: name, in: problem, isAbove: isAbove, bound: bound, on: &pad)
            }
        guard let letter = AnswerOptions(problem.options).letter(of: answer) else { return nil }
        pad.write(", option \(letter).")
        return letter
    }

    /// The value of a row, as read: the neighbour column's is the likely mistake.
    private func read(_ row: Row, _ column: String, in problem: Problem, on pad: inout Scratchpad) -> Int {
        let index = problem.columns.firstIndex(of: column) ?? 0
        let others = row.values.indices.filter { $0 != index }.map { MistakenValue.mistake(.logical, row.values[$0]) }
        return pad.decide(row.values[index], or: others) { $0.write("\(row.name) \($1)") }
    }

    private func extreme(
        _ rows: [Row], of name: String, in problem: Problem, isGreatest: Bool, on pad: inout Scratchpad
    ) -> String {
        let column = column(name)
        pad.write(pad.phrase("opening", ["Compare the \(name).", "Look at the \(name)."]))
        let so = pad.phrase("so", [", so ", ": "])
        var best: (name: String, value: Int)?
        for row in rows {
            pad.write(" ")
            let value = read(row, name, in: problem, on: &pad)
            if let leader = best {
                let isBetter = isGreatest ? value > leader.value : value < leader.value
                let takesOver = pad.decide(isBetter, or: [.mistake(.calculation, !isBetter)]) { pad, takesOver in
                    let sign = takesOver == isGreatest ? ">" : "<"
                    pad.write(" \(sign) \(leader.value)\(so)\(takesOver ? row.name : leader.name)")
                }
                if takesOver { best = (row.name, value) }
            } else {
                best = (row.name, value)
            }
            pad.write(".")
        }
        let superlative = (isGreatest ? column.greater : column.lesser).superlative
        pad.write(" The \(superlative) is \(best?.name ?? "")")
        return best?.name ?? ""
    }

    private func count(
        _ rows: [Row], of name: String, in problem: Problem, isAbove: Bool, bound: Int, on pad: inout Scratchpad
    ) -> String {
        pad.write(pad.phrase("opening", ["Compare the \(name).", "Look at the \(name)."]))
        var total = 0
        for row in rows {
            pad.write(" ")
            let value = read(row, name, in: problem, on: &pad)
            let counts = isAbove ? value > bound : value < bound
            let yes = isAbove ? ">" : "<"
            let no = value == bound ? "=" : isAbove ? "<" : ">"
            let taken = pad.decide(counts, or: [.mistake(.calculation, !counts)]) { pad, counts in
                pad.write(" \(counts ? yes : no) \(bound)")
            }
            let right = total + (taken ? 1 : 0)
            total = pad.decide(right, or: [.mistake(.calculation, right + 1)]) { $0.write(", \($1).") }
        }
        pad.write(" The count is \(total)")
        return String(total)
    }
}
