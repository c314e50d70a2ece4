/// Reads the part of Oniguruma's regular expressions that tokenizer files use.
///
/// Characters, sets, groups, alternatives, repetitions (greedy, lazy, possessive), case-insensitive groups, anchors, and
/// looking at one character ahead or behind. Back references, captures by name, and looking at more than one character
/// are not supported; without them, matching takes linear time.
struct RegexParser {
    private let source: [Unicode.Scalar]
    private var position = 0
    private var ignoresCase = false
    private var depth = 0

    struct Failure: Error {
        let problem: String
    }

    static func parse(_ source: String) throws(Failure) -> RegexNode {
        var parser = RegexParser(source: Array(source.unicodeScalars))
        let node = try parser.alternatives()
        guard parser.position == parser.source.count else { throw Failure(problem: "a bracket is not open") }
        return node
    }

    private init(source: [Unicode.Scalar]) { self.source = source }

    private var current: Unicode.Scalar? { position < source.count ? source[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard source[position...].starts(with: scalars) else { return false }
        position += scalars.count
        return true
    }

    // MARK: Structure

    private mutating func alternatives() throws(Failure) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 50 else { throw Failure(problem: "nested deeper than 50 levels") }
        let outer = ignoresCase
        defer { ignoresCase = outer }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(Failure) -> RegexNode {
        var parts: [RegexNode] = []
        while let next = current, next != "|", next != ")" {
            if take("(?i)") {
                ignoresCase = true
                continue
            }
            var node = try atom()
            while let repeated = try repetition(of: node) { node = repeated }
            parts.append(node)
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repetition(of node: RegexNode) throws(Failure) -> RegexNode? {
        var (least, most): (Int, Int?)
        var isInterval = false
        if take("*") {
            (least, most) = (0, nil)
        } else if take("+") {
            (least, most) = (1, nil)
        } else if take("?") {
            (least, most) = (0, 1)
        } else if current == "{", let interval = try interval() {
            (least, most) = interval
            isInterval = true
        } else {
            return nil
        }
        if take("?") { return .repetition(node, least: least, most: most, isGreedy: false) }
        let greedy = RegexNode.repetition(node, least: least, most: most, isGreedy: true)
        // After an interval a plus repeats it again.
        if !isInterval, take("+") { return .atomic(greedy) }
        return greedy
    }

    /// `{n}`, `{n,}`, `{,m}` or `{n,m}`; nil when the brace stands for itself.
    private mutating func interval() throws(Failure) -> (Int, Int?)? {
        let start = position
        position += 1
        let first = number()
        let hasComma = take(",")
        let second = hasComma ? number() : first
        guard take("}"), first != nil || second != nil else {
            position = start
            return nil
        }
        let (least, most) = (first ?? 0, second)
        guard least <= 1000, most ?? 0 <= 1000, most.map({ $0 >= least }) ?? true else {
            throw Failure(problem: "the interval from \(least) to \(most.map(String.init) ?? "any") is not supported")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var digits = ""
        while let next = current, "0"..."9" ~= next, digits.utf8.count < 9 {
            digits.unicodeScalars.append(next)
            position += 1
        }
        return Int(digits)
    }

    // MARK: Atoms

    private mutating func atom() throws(Failure) -> RegexNode {
        if take("(") { return try group() }
        if take("[") { return .set(try bracket()) }
        if take(".") { return .set(RegexSet([.range(0x0A, 0x0A)], isNegated: true)) }
        if take("^") { return .lineStart }
        if take("$") { return .lineEnd }
        if take("\\A") { return .textStart }
        if take("\\z") { return .textEnd }
        if take("\\") { return .set(RegexSet([try escape()], ignoresCase: ignoresCase)) }
        let value = source[position].value
        guard !"*+?".unicodeScalars.contains(source[position]) else { throw Failure(problem: "nothing to repeat") }
        position += 1
        return .set(RegexSet([.range(value, value)], ignoresCase: ignoresCase))
    }

    private mutating func group() throws(Failure) -> RegexNode {
        let outer = ignoresCase
        defer { ignoresCase = outer }
        var wrap: (RegexNode) throws(Failure) -> RegexNode = { (node) throws(Failure) in node }
        if take("?") {
            if take("i:") {
                ignoresCase = true
            } else if take("-i:") {
                ignoresCase = false
            } else if take(">") {
                wrap = { (node) throws(Failure) in .atomic(node) }
            } else if !take(":") {
                let isBehind = take("<")
                let isNegated = take("!")
                guard isNegated || take("=") else { throw Failure(problem: "a group of this kind is not supported") }
                wrap = { (node) throws(Failure) in
                    guard let set = RegexParser.oneCharacter(node) else {
                        throw Failure(problem: "looking at more than one character is not supported")
                    }
                    return .look(set, isBehind: isBehind, isNegated: isNegated)
                }
            }
        }
        let node = try alternatives()
        guard take(")") else { throw Failure(problem: "a bracket is not closed") }
        return try wrap(node)
    }

    /// The set of a node that matches exactly one character.
    private static func oneCharacter(_ node: RegexNode) -> RegexSet? {
        switch node {
        case .set(let set): return set
        case .alternatives(let branches):
            let sets = branches.compactMap(oneCharacter)
            return sets.count == branches.count ? RegexSet(sets.map { .set($0) }) : nil
        default: return nil
        }
    }

    /// What stands between square brackets, closing bracket included.
    private mutating func bracket() throws(Failure) -> RegexSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 50 else { throw Failure(problem: "nested deeper than 50 levels") }
        let isNegated = take("^")
        var items: [RegexSet.Item] = []
        var isFirst = true
        while true {
            guard let next = current else { throw Failure(problem: "a set is not closed") }
            if next == "]", !isFirst {
                position += 1
                return RegexSet(items, isNegated: isNegated, ignoresCase: ignoresCase)
            }
            isFirst = false
            if take("&&") { throw Failure(problem: "an intersection of sets is not supported") }
            if source[position...].starts(with: "[:".unicodeScalars) {
                throw Failure(problem: "a POSIX class is not supported")
            }
            if take("[") {
                items.append(.set(try bracket()))
                continue
            }
            let item = try member()
            guard case .range(let first, let last) = item, first == last, current == "-", position + 1 < source.count,
                source[position + 1] != "]"
            else {
                items.append(item)
                continue
            }
            position += 1
            guard case .range(let end, let same) = try member(), end == same, end >= first else {
                throw Failure(problem: "a range in a set is out of order")
            }
            items.append(.range(first, end))
        }
    }

    private mutating func member() throws(Failure) -> RegexSet.Item {
        if take("\\") { return try escape() }
        guard let next = current else { throw Failure(problem: "a set is not closed") }
        position += 1
        return .range(next.value, next.value)
    }

    /// What follows a backslash.
    private mutating func escape() throws(Failure) -> RegexSet.Item {
        guard let next = current else { throw Failure(problem: "a backslash stands at the end") }
        position += 1
        let characters: [Unicode.Scalar: UInt32] = ["n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "a": 7, "e": 27]
        if let value = characters[next] { return .range(value, value) }
        switch next {
        case "s", "S": return .property(.space, isNegated: next == "S")
        case "d", "D": return .property(.digit, isNegated: next == "D")
        case "w", "W": return .property(.word, isNegated: next == "W")
        case "h", "H": return .property(.hexadecimal, isNegated: next == "H")
        case "p", "P": return try property(isNegated: next == "P")
        case "x": return try codePoint(braced: take("{"), digits: 2)
        case "u": return try codePoint(braced: false, digits: 4)
        default:
            guard !next.properties.isAlphabetic, !("0"..."9" ~= next) else {
                throw Failure(problem: "the escape \\\(next) is not supported")
            }
            return .range(next.value, next.value)
        }
    }

    private mutating func property(isNegated: Bool) throws(Failure) -> RegexSet.Item {
        guard take("{") else { throw Failure(problem: "\\p needs a name in braces") }
        let isNegated = take("^") != isNegated
        var name = ""
        while let next = current, next != "}" {
            name.unicodeScalars.append(next)
            position += 1
        }
        guard take("}"), let property = RegexProperty(name: name) else {
            throw Failure(problem: "the property \\p{\(name.prefix(40))} is not supported")
        }
        return .property(property, isNegated: isNegated)
    }

    private mutating func codePoint(braced: Bool, digits: Int) throws(Failure) -> RegexSet.Item {
        var text = ""
        while let next = current, next.properties.isASCIIHexDigit, text.utf8.count < (braced ? 8 : digits) {
            text.unicodeScalars.append(next)
            position += 1
        }
        guard let value = UInt32(text, radix: 16), value < 0x110000, !braced || take("}"),
            braced || text.utf8.count == digits, value < 0x80 || braced || digits == 4
        else { throw Failure(problem: "a code point is broken") }
        return .range(value, value)
    }
}
