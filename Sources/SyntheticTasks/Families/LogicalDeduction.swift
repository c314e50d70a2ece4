import Reasoning

/// An order from comparisons: `Ada is older than Ben. Cora is older than Ada. Who is the oldest?`
///
/// Each comparison puts one more person in front of or behind those already ordered. Solved with the list after each
/// comparison.
public struct LogicalDeduction: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var adjective: String
        /// "first is older than second" or "first is younger than second".
        var statements: [Statement]
        /// Counted from the end that the question names, from 1.
        var rank: Int
        var asksGreater: Bool
        var options: [String]
    }

    struct Statement: Sendable, Equatable {
        var first: String
        var isGreater: Bool
        var second: String
    }

    struct Adjective {
        var name: String
        var greater: (comparative: String, superlative: String)
        var lesser: (comparative: String, superlative: String)

        func side(_ isGreater: Bool) -> (comparative: String, superlative: String) { isGreater ? greater : lesser }
    }

    public var name: String { "logical_deduction" }
    public var summary: String { "Deduce an order from comparisons." }

    private static let adjectives = [
        Adjective(name: "age", greater: ("older", "oldest"), lesser: ("younger", "youngest")),
        Adjective(name: "height", greater: ("taller", "tallest"), lesser: ("shorter", "shortest")),
        Adjective(name: "speed", greater: ("faster", "fastest"), lesser: ("slower", "slowest")),
    ]
    private static let ranks = ["", "second ", "third ", "fourth "]

    private func adjective(_ name: String) -> Adjective {
        Self.adjectives.first { $0.name == name } ?? Self.adjectives[0]
    }

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let size = [3, 4, 5, 7][level - 1]
        let people = generator.sample(size, of: Vocabulary.names)
        var low = generator.below(size - 1)
        var high = low + 1
        var statements: [Statement] = []
        func add(_ a: Int, _ b: Int) {
            let (first, second) = generator.chance(0.5) ? (a, b) : (b, a)
            statements.append(Statement(first: people[first], isGreater: first < second, second: people[second]))
        }
        add(low, high)
        while statements.count < size - 1 {
            if low > 0, high == size - 1 || generator.chance(0.5) {
                low -= 1
                add(low, low + 1)
            } else {
                high += 1
                add(high - 1, high)
            }
        }
        return Problem(
            adjective: generator.element(of: Self.adjectives).name, statements: statements,
            rank: generator.integer(in: 1...[1, 2, 3, 4][level - 1]), asksGreater: generator.chance(0.5),
            options: generator.shuffled(people))
    }

    public func question(for problem: Problem) -> String {
        let adjective = adjective(problem.adjective)
        let statements = problem.statements.map {
            "\($0.first) is \(adjective.side($0.isGreater).comparative) than \($0.second). "
        }
        let wanted = Self.ranks[problem.rank - 1] + adjective.side(problem.asksGreater).superlative
        return "\(statements.joined())Who is the \(wanted)?\n" + AnswerOptions(problem.options).text
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        var statements: [Statement] = []
        var found: Adjective?
        while !scanner.accept("Who is the") {
            guard let first = scanner.word(), scanner.accept("is"), let word = scanner.word(), scanner.accept("than"),
                let second = scanner.word(), scanner.accept("."),
                let adjective = Self.adjectives.first(where: {
                    $0.greater.comparative == word || $0.lesser.comparative == word
                }), found?.name ?? adjective.name == adjective.name
            else { return nil }
            found = adjective
            statements.append(
                Statement(first: first, isGreater: word == adjective.greater.comparative, second: second))
        }
        let rank = (1..<Self.ranks.count).last { scanner.accept(Self.ranks[$0].split(separator: " ").joined()) } ?? 0
        guard let found, let superlative = scanner.word(), scanner.accept("?"),
            superlative == found.greater.superlative || superlative == found.lesser.superlative,
            let options = AnswerOptions(&scanner)
        else { return nil }
        let problem = Problem(
            adjective: found.name, statements: statements, rank: rank + 1,
            asksGreater: superlative == found.greater.superlative, options: options.values)
        return problem.rank <= options.values.count && grows(problem.statements) ? problem : nil
    }

    /// Whether each statement adds one person at an end of the list, which fixes the whole order.
    private func grows(_ statements: [Statement]) -> Bool {
        var order: [String] = []
        for statement in statements {
            guard let next = extended(order, by: statement) else { return false }
            order = next
        }
        return true
    }

    /// The list from the greatest to the least with one more person; nil when the place is not at an end.
    private func extended(_ order: [String], by statement: Statement) -> [String]? {
        let greater = statement.isGreater ? statement.first : statement.second
        let lesser = statement.isGreater ? statement.second : statement.first
        guard greater != lesser else { return nil }
        if order.isEmpty { return [greater, lesser] }
        if order.first == lesser, !order.contains(greater) { return [greater] + order }
        if order.last == greater, !order.contains(lesser) { return order + [lesser] }
        return nil
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        let adjective = adjective(problem.adjective)
        let listing = pad.phrase("listing", [": ", ", so "])
        pad.write(
            pad.phrase(
                "opening",
                ["List the \(adjective.greater.superlative) first.", "Put the \(adjective.greater.superlative) first."])
        )
        var order: [String] = []
        for statement in problem.statements {
            pad.write(
                " \(statement.first) is \(adjective.side(statement.isGreater).comparative) than \(statement.second)")
            // After a mistake the list may have the wrong person at its end: the new one still goes to the same side.
            let newcomer = order.contains(statement.first) ? statement.second : statement.first
            let goesFirst = (newcomer == statement.first) == statement.isGreater
            let right = extended(order, by: statement) ?? placed(newcomer, inFront: goesFirst, of: order)
            let wrong =
                order.isEmpty ? Array(right.reversed()) : placed(newcomer, inFront: !goesFirst, of: order)
            var mistaken: [MistakenValue<[String]>] = [.mistake(.logical, wrong)]
            if order.count > 1 {
                var inside = order
                inside.insert(newcomer, at: goesFirst ? 1 : order.count - 1)
                mistaken.append(.mistake(.calculation, inside))
            }
            order = pad.decide(right, or: mistaken) { $0.write(listing + $1.joined(separator: " ") + ".") }
        }
        let seen = problem.asksGreater ? order : order.reversed()
        guard seen.count >= problem.rank else { return nil }
        let right = seen[problem.rank - 1]
        let opposite = seen[seen.count - problem.rank]
        let wanted = Self.ranks[problem.rank - 1] + adjective.side(problem.asksGreater).superlative
        pad.write(" ")
        let person = pad.decide(right, or: [.mistake(.knowledge, opposite)]) {
            $0.write("The \(wanted) is \($1)")
        }
        guard let letter = AnswerOptions(problem.options).letter(of: person) else { return nil }
        pad.write(", option \(letter).")
        return letter
    }

    private func placed(_ person: String, inFront: Bool, of order: [String]) -> [String] {
        inFront ? [person] + order : order + [person]
    }
}
