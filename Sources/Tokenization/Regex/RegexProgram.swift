/// A regular expression ready to match.
struct RegexProgram: Sendable {
    enum Instruction: Sendable {
        /// Takes a character of a set.
        case take(RegexSet)
        /// Goes on at the first place, and at the second when that fails. Numbered, see ``RegexMatcher``.
        case split(Int, Int, number: Int)
        case jump(Int)
        case look(RegexSet, isBehind: Bool, isNegated: Bool)
        case lineStart, lineEnd, textStart, textEnd
        /// Matches the instructions up to a place for themselves, then goes on there.
        case atomic(end: Int)
        case match
    }

    private(set) var instructions: [Instruction] = []
    private(set) var splitCount = 0

    /// Instructions of a program, and steps that making it may take.
    private static let limit = 1000
    private var steps = 0

    init(_ source: String) throws(RegexParser.Failure) {
        try add(try RegexParser.parse(source))
        instructions.append(.match)
    }

    private mutating func add(_ node: RegexNode) throws(RegexParser.Failure) {
        steps += 1
        guard instructions.count < RegexProgram.limit, steps < 4 * RegexProgram.limit else {
            throw RegexParser.Failure(problem: "the regular expression is too large")
        }
        switch node {
        case .set(let set): instructions.append(.take(set))
        case .sequence(let parts): for part in parts { try add(part) }
        case .alternatives(let branches):
            var ends: [Int] = []
            for branch in branches.dropLast() {
                let split = reserve()
                try add(branch)
                ends.append(instructions.count)
                instructions.append(.jump(0))
                instructions[split] = numbered(split + 1, instructions.count)
            }
            try add(branches.last!)
            for end in ends { instructions[end] = .jump(instructions.count) }
        case .repetition(let part, let least, let most, let isGreedy):
            for _ in 0..<least { try add(part) }
            if let most {
                var splits: [Int] = []
                for _ in least..<most {
                    splits.append(reserve())
                    try add(part)
                }
                for split in splits { instructions[split] = branch(split + 1, instructions.count, isGreedy) }
            } else {
                let split = reserve()
                try add(part)
                instructions.append(.jump(split))
                instructions[split] = branch(split + 1, instructions.count, isGreedy)
            }
        case .atomic(let part):
            let start = reserve()
            try add(part)
            instructions.append(.match)
            instructions[start] = .atomic(end: instructions.count)
        case .look(let set, let isBehind, let isNegated):
            instructions.append(.look(set, isBehind: isBehind, isNegated: isNegated))
        case .lineStart: instructions.append(.lineStart)
        case .lineEnd: instructions.append(.lineEnd)
        case .textStart: instructions.append(.textStart)
        case .textEnd: instructions.append(.textEnd)
        }
    }

    private mutating func reserve() -> Int {
        instructions.append(.match)
        return instructions.count - 1
    }

    private mutating func branch(_ inside: Int, _ outside: Int, _ isGreedy: Bool) -> Instruction {
        isGreedy ? numbered(inside, outside) : numbered(outside, inside)
    }

    private mutating func numbered(_ first: Int, _ second: Int) -> Instruction {
        splitCount += 1
        return .split(first, second, number: splitCount - 1)
    }
}
