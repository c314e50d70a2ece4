import Reasoning

/// Arithmetic with parentheses: `( 2 + 3 ) * 4 - 6 =`.
///
/// Solved like ``BooleanExpressions`` by rewriting, one operation at a time: innermost parentheses first, products
/// before sums.
public struct MultistepArithmetic: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var tokens: [Token]
    }

    enum Token: Sendable, Equatable {
        case number(Int)
        case plus, minus, times, open, close

        var text: String {
            switch self {
            case .number(let value): String(value)
            case .plus: "+"
            case .minus: "-"
            case .times: "*"
            case .open: "("
            case .close: ")"
            }
        }

        var isOperator: Bool { self == .plus || self == .minus || self == .times }
    }

    public var name: String { "multistep_arithmetic" }
    public var summary: String { "Work out the value of an arithmetic expression." }

    /// How large an expression and the values on the way may be.
    private struct Size {
        var operands: ClosedRange<Int>
        var numbers: ClosedRange<Int>
        var values: ClosedRange<Int>
        var operators: [Token]
    }

    private static let sizes = [
        Size(operands: 3...3, numbers: 1...9, values: 0...18, operators: [.plus, .plus, .minus, .minus, .times]),
        Size(operands: 4...4, numbers: 1...9, values: 0...27, operators: [.plus, .plus, .minus, .minus, .times]),
        Size(operands: 5...6, numbers: 0...9, values: -20...81, operators: [.plus, .minus, .times]),
        Size(operands: 7...8, numbers: -9...9, values: -400...400, operators: [.plus, .minus, .times]),
    ]

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let size = Self.sizes[level - 1]
        while true {
            let operands = generator.integer(in: size.operands)
            let tokens = expression(operands, size, using: &generator)
            if stays(tokens, in: size.values) { return Problem(tokens: tokens) }
        }
    }

    private func expression(_ operands: Int, _ size: Size, using generator: inout SeededGenerator) -> [Token] {
        if operands == 1 { return [.number(generator.integer(in: size.numbers))] }
        let first = generator.integer(in: 1...operands - 1)
        func side(_ count: Int) -> [Token] {
            let inner = expression(count, size, using: &generator)
            return count > 1 && generator.chance(0.75) ? [.open] + inner + [.close] : inner
        }
        let left = side(first)
        let operation = generator.element(of: size.operators)
        return left + [operation] + side(operands - first)
    }

    private func stays(_ tokens: [Token], in values: ClosedRange<Int>) -> Bool {
        var tokens = tokens
        while tokens.count > 1 {
            let place = nextOperation(in: tokens)
            guard let value = result(of: place, in: tokens), values.contains(value) else { return false }
            tokens = replacing(place, in: tokens, with: value)
        }
        return true
    }

    public func question(for problem: Problem) -> String { render(problem.tokens) + " =" }

    private func render(_ tokens: [Token]) -> String { tokens.map(\.text).joined(separator: " ") }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        var tokens: [Token] = []
        var depth = 0
        while !scanner.accept("=") {
            let wantsOperand = tokens.last.map { $0.isOperator || $0 == .open } ?? true
            if wantsOperand, let number = scanner.number() {
                tokens.append(.number(number))
                continue
            }
            switch (scanner.symbol(), wantsOperand) {
            case (UInt8(ascii: "("), true):
                tokens.append(.open)
                depth += 1
            case (UInt8(ascii: "-"), true):
                guard let number = scanner.number() else { return nil }
                tokens.append(.number(-number))
            case (UInt8(ascii: ")"), false):
                tokens.append(.close)
                depth -= 1
                guard depth >= 0 else { return nil }
            case (UInt8(ascii: "+"), false): tokens.append(.plus)
            case (UInt8(ascii: "-"), false): tokens.append(.minus)
            case (UInt8(ascii: "*"), false): tokens.append(.times)
            default: return nil
            }
        }
        let isComplete = tokens.last.map { !$0.isOperator && $0 != .open } ?? false
        return isComplete && depth == 0 && scanner.isAtEnd ? Problem(tokens: withoutNeedlessGroups(tokens)) : nil
    }

    /// Parentheses around a single number say nothing.
    private func withoutNeedlessGroups(_ tokens: [Token]) -> [Token] {
        var tokens = tokens
        while let open = tokens.indices.dropLast(2).first(where: { tokens[$0] == .open && tokens[$0 + 2] == .close }) {
            tokens.remove(at: open + 2)
            tokens.remove(at: open)
        }
        return tokens
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        let leaving = pad.phrase("leaving", [", leaving ", ", so we have ", ", which leaves "])
        pad.write(pad.phrase("opening", ["", "Innermost first. ", "Step by step. "]))
        var tokens = problem.tokens
        var isFirst = true
        while tokens.count > 1 {
            if !isFirst { pad.write(" ") }
            isFirst = false
            guard let next = step(tokens, on: &pad) else { return nil }
            tokens = next
            if tokens.count > 1 { pad.write(leaving + render(tokens)) }
            pad.write(".")
        }
        guard case .number(let value)? = tokens.first else { return nil }
        if isFirst { pad.write("It is \(value).") }
        return String(value)
    }

    private func step(_ tokens: [Token], on pad: inout Scratchpad) -> [Token]? {
        let right = nextOperation(in: tokens)
        let group = innermostGroup(of: tokens)
        let sum = group.first { tokens[$0] == .plus || tokens[$0] == .minus }
        // Adding before multiplying is the mistake of someone who reads from left to right.
        let place = pad.decide(right, or: sum.map { [.mistake(.knowledge, $0)] } ?? []) { pad, place in
            pad.write(render(Array(tokens[place - 1...place + 1])))
        }
        guard let value = result(of: place, in: tokens), case .number(let a) = tokens[place - 1],
            case .number(let b) = tokens[place + 1]
        else { return nil }
        var mistaken: [MistakenValue<Int>] = [
            .mistake(.calculation, value + 1), .mistake(.calculation, value - 1), .mistake(.calculation, value + 2),
        ].filter { $0.value >= 0 || value <= 0 }
        if tokens[place] == .minus { mistaken.append(.mistake(.logical, a.addingReportingOverflow(b).partialValue)) }
        if tokens[place] == .plus, a >= b { mistaken.append(.mistake(.logical, a - b)) }
        if tokens[place] == .times { mistaken.append(.mistake(.logical, a.addingReportingOverflow(b).partialValue)) }
        let taken = pad.decide(value, or: mistaken) { $0.write(" = \($1)") }
        return replacing(place, in: tokens, with: taken)
    }

    private func innermostGroup(of tokens: [Token]) -> Range<Int> {
        let end = tokens.firstIndex(of: .close) ?? tokens.count
        let start = tokens[..<end].lastIndex(of: .open).map { $0 + 1 } ?? 0
        return start..<end
    }

    /// The operator that is carried out first. The tokens must form an expression of at least one operation.
    private func nextOperation(in tokens: [Token]) -> Int {
        let group = innermostGroup(of: tokens)
        let product = group.first { tokens[$0] == .times }
        return product ?? group.first { tokens[$0].isOperator } ?? group.lowerBound
    }

    /// Nil when the value does not fit a machine word.
    private func result(of place: Int, in tokens: [Token]) -> Int? {
        guard tokens.indices.contains(place - 1), tokens.indices.contains(place + 1),
            case .number(let a) = tokens[place - 1], case .number(let b) = tokens[place + 1]
        else { return nil }
        let (value, overflow) =
            switch tokens[place] {
            case .plus: a.addingReportingOverflow(b)
            case .minus: a.subtractingReportingOverflow(b)
            default: a.multipliedReportingOverflow(by: b)
            }
        return overflow || value.magnitude > 1 << 52 ? nil : value
    }

    private func replacing(_ place: Int, in tokens: [Token], with value: Int) -> [Token] {
        var result = tokens
        result.replaceSubrange(place - 1...place + 1, with: [.number(value)])
        return withoutNeedlessGroups(result)
    }
}
