import Reasoning

/// Boolean expressions in Python's notation: `not ( True and False ) or True is`.
///
/// Solved by rewriting: innermost parentheses first, `not` before `and` before `or`, each step a fact of the truth
/// table followed by the expression that it leaves.
public struct BooleanExpressions: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var tokens: [Token]
    }

    enum Token: String, Sendable, Equatable, CaseIterable {
        case yes = "True"
        case no = "False"
        case not, and, or
        case open = "("
        case close = ")"

        init(_ value: Bool) { self = value ? .yes : .no }

        var value: Bool? {
            switch self {
            case .yes: true
            case .no: false
            default: nil
            }
        }
    }

    public var name: String { "boolean_expressions" }
    public var summary: String { "Work out the truth value of a Boolean expression." }

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let sizes = [3...4, 5...5, 6...7, 8...10]
        let operands = generator.integer(in: sizes[level - 1])
        return Problem(tokens: chain(operands, depth: level < 3 ? 1 : 2, using: &generator))
    }

    /// Operands joined by `and` and `or`, some of them grouped in parentheses at most `depth` deep.
    private func chain(_ operands: Int, depth: Int, using generator: inout SeededGenerator) -> [Token] {
        var tokens: [Token] = []
        var left = operands
        while left > 0 {
            if !tokens.isEmpty { tokens.append(generator.chance(0.5) ? .and : .or) }
            let largest = min(left, depth > 1 ? 5 : 3, tokens.isEmpty ? operands - 1 : left)
            let grouped = depth > 0 && largest >= 2 && generator.chance(0.5)
            if generator.chance(grouped ? 0.3 : 0.25) { tokens.append(.not) }
            if grouped {
                let size = generator.integer(in: 2...largest)
                tokens += [.open] + chain(size, depth: depth - 1, using: &generator) + [.close]
                left -= size
            } else {
                tokens.append(Token(generator.chance(0.5)))
                left -= 1
            }
        }
        return tokens
    }

    public func question(for problem: Problem) -> String { render(problem.tokens) + " is" }

    private func render(_ tokens: [Token]) -> String { tokens.map(\.rawValue).joined(separator: " ") }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        var tokens: [Token] = []
        while !scanner.accept("is") {
            guard let word = scanner.accept(anyOf: Token.allCases.map(\.rawValue)), let token = Token(rawValue: word)
            else { return nil }
            tokens.append(token)
        }
        guard scanner.isAtEnd, isExpression(tokens) else { return nil }
        return Problem(tokens: withoutNeedlessGroups(tokens))
    }

    /// Parentheses around a single value say nothing.
    private func withoutNeedlessGroups(_ tokens: [Token]) -> [Token] {
        var tokens = tokens
        while let open = tokens.indices.dropLast(2).first(where: { tokens[$0] == .open && tokens[$0 + 2] == .close }) {
            tokens.remove(at: open + 2)
            tokens.remove(at: open)
        }
        return tokens
    }

    private func isExpression(_ tokens: [Token]) -> Bool {
        var depth = 0
        var wantsOperand = true
        for token in tokens {
            switch token {
            case .yes, .no:
                guard wantsOperand else { return false }
                wantsOperand = false
            case .not:
                guard wantsOperand else { return false }
            case .and, .or:
                guard !wantsOperand else { return false }
                wantsOperand = true
            case .open:
                guard wantsOperand else { return false }
                depth += 1
            case .close:
                guard !wantsOperand, depth > 0 else { return false }
                depth -= 1
            }
        }
        return depth == 0 && !wantsOperand
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        let leaving = pad.phrase("leaving", [", leaving ", ", so we have ", ", which leaves "])
        pad.write(pad.phrase("opening", ["", "Innermost first. ", "Step by step. "]))
        var tokens = problem.tokens
        var isFirst = true
        while tokens.count > 1 {
            if !isFirst { pad.write(" ") }
            isFirst = false
            tokens = reduced(tokens, on: &pad)
            if tokens.count > 1 { pad.write(leaving + render(tokens)) }
            pad.write(".")
        }
        if isFirst { pad.write("It is \(tokens[0].rawValue).") }
        return tokens.first?.rawValue
    }

    /// One operation of the first innermost group carried out, and parentheses around a single value dropped.
    private func reduced(_ tokens: [Token], on pad: inout Scratchpad) -> [Token] {
        let end = tokens.firstIndex(of: .close) ?? tokens.count
        let start = tokens[..<end].lastIndex(of: .open).map { $0 + 1 } ?? 0
        let group = tokens[start..<end]
        var result = tokens
        if let place = group.indices.first(where: { tokens[$0] == .not && tokens[$0 + 1].value != nil }) {
            let operand = tokens[place + 1] == .yes
            let value = decide("not \(Token(operand).rawValue)", !operand, .logical, on: &pad)
            result.replaceSubrange(place...place + 1, with: [Token(value)])
        } else {
            let or = group.firstIndex(of: .or)
            let first = group.firstIndex(of: .and) ?? or ?? start
            // Taking "or" before "and" is the mistake of someone who reads from left to right.
            let place = pad.decide(first, or: or.map { [.mistake(.knowledge, $0)] } ?? []) { pad, place in
                pad.write("\(tokens[place - 1].rawValue) \(tokens[place].rawValue) \(tokens[place + 1].rawValue)")
            }
            let (a, b) = (tokens[place - 1] == .yes, tokens[place + 1] == .yes)
            let value = decide("", tokens[place] == .and ? a && b : a || b, .calculation, on: &pad)
            result.replaceSubrange(place - 1...place + 1, with: [Token(value)])
        }
        return withoutNeedlessGroups(result)
    }

    private func decide(_ operation: String, _ right: Bool, _ kind: Mistake.Kind, on pad: inout Scratchpad) -> Bool {
        pad.write(operation)
        return pad.decide(right, or: [.mistake(kind, !right)]) { $0.write(" = \(Token($1).rawValue)") }
    }
}
