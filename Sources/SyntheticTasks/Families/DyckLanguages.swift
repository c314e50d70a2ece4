import Reasoning

/// Closing brackets: `Close the open brackets: [ ( ) {`, answer `} ]`.
///
/// Solved with the stack of open brackets after each symbol.
public struct DyckLanguages: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var symbols: [String]
    }

    public var name: String { "dyck_languages" }
    public var summary: String { "Close a sequence of brackets in the right order." }

    private static let opening = "Close the open brackets:"
    private static let pairs = [("[", "]"), ("(", ")"), ("{", "}"), ("<", ">")]

    private func closing(_ open: String) -> String? { Self.pairs.first { $0.0 == open }?.1 }

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let length = generator.integer(in: [4...6, 7...8, 9...13, 14...20][level - 1])
        let deepest = [3, 3, 5, 7][level - 1]
        while true {
            var symbols: [String] = []
            var stack: [String] = []
            while symbols.count < length {
                if !stack.isEmpty, stack.count >= deepest || generator.chance(0.4) {
                    symbols.append(closing(stack.removeLast()) ?? "")
                } else {
                    let open = generator.element(of: Self.pairs).0
                    stack.append(open)
                    symbols.append(open)
                }
            }
            if !stack.isEmpty { return Problem(symbols: symbols) }
        }
    }

    public func question(for problem: Problem) -> String {
        "\(Self.opening) \(problem.symbols.joined(separator: " "))"
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        guard scanner.accept(Self.opening) else { return nil }
        var symbols: [String] = []
        var stack: [String] = []
        while !scanner.isAtEnd, let byte = scanner.symbol() {
            let symbol = String(decoding: [byte], as: UTF8.self)
            if closing(symbol) != nil {
                stack.append(symbol)
            } else {
                guard let open = stack.popLast(), closing(open) == symbol else { return nil }
            }
            symbols.append(symbol)
        }
        return stack.isEmpty ? nil : Problem(symbols: symbols)
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        let after = pad.phrase("after", ["After", "Read"])
        let keep = pad.phrase("keep", ["open", "stack", "keep"])
        var stack: [String] = []
        for symbol in problem.symbols {
            let opens = closing(symbol) != nil
            let right = opens ? stack + [symbol] : Array(stack.dropLast())
            var mistaken: [MistakenValue<[String]>] = []
            if opens {
                mistaken.append(.mistake(.logical, stack))
            } else {
                mistaken.append(.mistake(.logical, stack))
                if stack.count > 1 { mistaken.append(.mistake(.calculation, Array(stack.dropLast(2)))) }
                if stack.count > 1 { mistaken.append(.mistake(.knowledge, Array(stack.dropFirst()))) }
            }
            pad.write(pad.text.isEmpty ? "" : " ")
            pad.write("\(after) \(symbol) : \(keep)")
            stack = pad.decide(right, or: mistaken) {
                $0.write(" \($1.isEmpty ? "nothing" : $1.joined(separator: " ")) .")
            }
        }
        var closed: [String] = []
        for open in stack.reversed() {
            let right = closing(open) ?? ""
            let others = Self.pairs.map(\.1).filter { $0 != right }
            pad.write(" \(open)")
            closed.append(
                pad.decide(right, or: others.map { .mistake(.knowledge, $0) }) { $0.write(" needs \($1) .") })
        }
        return closed.isEmpty ? nil : closed.joined(separator: " ")
    }
}
