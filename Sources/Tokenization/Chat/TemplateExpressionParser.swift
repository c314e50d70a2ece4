/// Reads the expressions of a chat template, with Jinja's precedence.
struct TemplateExpressionParser {
    private let tokens: [TemplateLexer.Placed]
    private var position = 0
    private var depth = 0

    init(tokens: [TemplateLexer.Placed]) { self.tokens = tokens }

    // MARK: Tokens

    var current: TemplateLexer.Token? { peek(0) }
    var line: Int { position < tokens.count ? tokens[position].line : tokens.last?.line ?? 1 }

    func peek(_ offset: Int) -> TemplateLexer.Token? {
        position + offset < tokens.count ? tokens[position + offset].token : nil
    }

    mutating func skip(_ count: Int = 1) { position += count }

    mutating func take(_ token: TemplateLexer.Token) -> Bool {
        guard current == token else { return false }
        position += 1
        return true
    }

    mutating func expect(_ token: TemplateLexer.Token, _ description: String) throws(ChatTemplateError) {
        guard take(token) else { throw error("expected \(description)") }
    }

    mutating func name() throws(ChatTemplateError) -> String {
        guard case .name(let name) = current else { throw error("expected a name") }
        position += 1
        return name
    }

    func error(_ problem: String) -> ChatTemplateError { ChatTemplateError(line: line, problem: problem) }

    mutating func enter() throws(ChatTemplateError) {
        depth += 1
        guard depth <= 100 else { throw error("nested deeper than 100 levels") }
    }

    mutating func leave() { depth -= 1 }

    // MARK: Expressions

    /// One expression, or several with commas between them as a list.
    mutating func tuple(withConditions: Bool = true) throws(ChatTemplateError) -> TemplateExpression {
        let start = line
        let first = withConditions ? try expression() : try disjunction()
        guard current == .symbol(",") else { return first }
        var elements = [first]
        while take(.symbol(",")) {
            switch current {
            case .endOutput, .endBlock, .symbol(")"), .symbol("="): break
            default:
                elements.append(withConditions ? try expression() : try disjunction())
                continue
            }
            break
        }
        return TemplateExpression(kind: .list(elements), line: start)
    }

    mutating func expression() throws(ChatTemplateError) -> TemplateExpression {
        try enter()
        defer { leave() }
        var value = try disjunction()
        while current == .name("if") {
            let start = line
            skip()
            let test = try disjunction()
            let otherwise = take(.name("else")) ? try expression() : nil
            value = TemplateExpression(kind: .choice(value, test: test, otherwise: otherwise), line: start)
        }
        return value
    }

    private mutating func disjunction() throws(ChatTemplateError) -> TemplateExpression {
        var left = try conjunction()
        while current == .name("or") {
            let start = line
            skip()
            left = TemplateExpression(kind: .binary("or", left, try conjunction()), line: start)
        }
        return left
    }

    private mutating func conjunction() throws(ChatTemplateError) -> TemplateExpression {
        var left = try negation()
        while current == .name("and") {
            let start = line
            skip()
            left = TemplateExpression(kind: .binary("and", left, try negation()), line: start)
        }
        return left
    }

    private mutating func negation() throws(ChatTemplateError) -> TemplateExpression {
        let start = line
        guard current == .name("not") else { return try comparison() }
        try enter()
        defer { leave() }
        skip()
        return TemplateExpression(kind: .not(try negation()), line: start)
    }

    private mutating func comparison() throws(ChatTemplateError) -> TemplateExpression {
        let start = line
        let first = try sum()
        var rest: [(operation: String, operand: TemplateExpression)] = []
        while true {
            if case .symbol(let symbol) = current, ["==", "!=", "<", "<=", ">", ">="].contains(symbol) {
                skip()
                rest.append((symbol, try sum()))
            } else if take(.name("in")) {
                rest.append(("in", try sum()))
            } else if current == .name("not"), peek(1) == .name("in") {
                skip(2)
                rest.append(("not in", try sum()))
            } else {
                break
            }
        }
        return rest.isEmpty ? first : TemplateExpression(kind: .comparison(first, rest), line: start)
    }

    private mutating func sum() throws(ChatTemplateError) -> TemplateExpression {
        var left = try joined()
        while case .symbol(let symbol) = current, ["+", "-"].contains(symbol) {
            let start = line
            skip()
            left = TemplateExpression(kind: .binary(symbol, left, try joined()), line: start)
        }
        return left
    }

    private mutating func joined() throws(ChatTemplateError) -> TemplateExpression {
        var left = try product()
        while current == .symbol("~") {
            let start = line
            skip()
            left = TemplateExpression(kind: .binary("~", left, try product()), line: start)
        }
        return left
    }

    private mutating func product() throws(ChatTemplateError) -> TemplateExpression {
        var left = try power()
        while case .symbol(let symbol) = current, ["*", "/", "//", "%"].contains(symbol) {
            let start = line
            skip()
            left = TemplateExpression(kind: .binary(symbol, left, try power()), line: start)
        }
        return left
    }

    private mutating func power() throws(ChatTemplateError) -> TemplateExpression {
        var left = try unary()
        while current == .symbol("**") {
            let start = line
            skip()
            left = TemplateExpression(kind: .binary("**", left, try unary()), line: start)
        }
        return left
    }

    private mutating func unary(withFilters: Bool = true) throws(ChatTemplateError) -> TemplateExpression {
        let start = line
        try enter()
        defer { leave() }
        var value: TemplateExpression
        if take(.symbol("-")) {
            value = TemplateExpression(kind: .negative(try unary(withFilters: false)), line: start)
        } else if take(.symbol("+")) {
            value = try unary(withFilters: false)
        } else {
            value = try postfix(try primary())
        }
        return withFilters ? try filters(value) : value
    }

    // MARK: Operands

    private mutating func primary() throws(ChatTemplateError) -> TemplateExpression {
        let start = line
        guard let token = current else { throw error("the template ends where a value should stand") }
        let kind: TemplateExpression.Kind
        switch token {
        case .name(let name):
            skip()
            switch name {
            case "true", "True": kind = .constant(.bool(true))
            case "false", "False": kind = .constant(.bool(false))
            case "none", "None": kind = .constant(.none)
            default: kind = .name(name)
            }
        case .string(var text):
            skip()
            while case .string(let more) = current {
                text += more
                skip()
            }
            kind = .constant(.string(text))
        case .integer(let value):
            skip()
            kind = .constant(.integer(value))
        case .number(let value):
            skip()
            kind = .constant(.number(value))
        case .symbol("("):
            skip()
            if take(.symbol(")")) { return TemplateExpression(kind: .list([]), line: start) }
            let inner = try tuple()
            try expect(.symbol(")"), "\")\"")
            return inner
        case .symbol("["):
            skip()
            kind = .list(try elements(until: "]"))
        case .symbol("{"):
            skip()
            kind = .map(try members())
        default: throw error("expected a value")
        }
        return TemplateExpression(kind: kind, line: start)
    }

    private mutating func elements(until close: String) throws(ChatTemplateError) -> [TemplateExpression] {
        var elements: [TemplateExpression] = []
        while !take(.symbol(close)) {
            if !elements.isEmpty { try expect(.symbol(","), "\",\"") }
            if take(.symbol(close)) { break }
            elements.append(try expression())
        }
        return elements
    }

    private mutating func members() throws(ChatTemplateError) -> [(key: TemplateExpression, value: TemplateExpression)]
    {
        var members: [(key: TemplateExpression, value: TemplateExpression)] = []
        while !take(.symbol("}")) {
            if !members.isEmpty { try expect(.symbol(","), "\",\"") }
            if take(.symbol("}")) { break }
            let key = try expression()
            try expect(.symbol(":"), "\":\"")
            members.append((key, try expression()))
        }
        return members
    }

    private mutating func postfix(_ operand: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        var value = operand
        while true {
            let start = line
            if take(.symbol(".")) {
                if case .integer(let index) = current {
                    skip()
                    let index = TemplateExpression(kind: .constant(.integer(index)), line: start)
                    value = TemplateExpression(kind: .item(value, index), line: start)
                } else {
                    value = TemplateExpression(kind: .attribute(value, try name()), line: start)
                }
            } else if take(.symbol("[")) {
                value = TemplateExpression(kind: try subscriptKind(value), line: start)
            } else if take(.symbol("(")) {
                value = TemplateExpression(kind: .call(value, try arguments()), line: start)
            } else {
                return value
            }
        }
    }

    /// What stands between brackets after a value, closing bracket included.
    private mutating func subscriptKind(_ value: TemplateExpression) throws(ChatTemplateError)
        -> TemplateExpression.Kind
    {
        var parts: [TemplateExpression?] = [nil]
        while !take(.symbol("]")) {
            if take(.symbol(":")) {
                parts.append(nil)
            } else if parts.last! == nil {
                parts[parts.count - 1] = try expression()
            } else {
                throw error("expected \"]\"")
            }
        }
        if parts.count == 1, let index = parts[0] { return .item(value, index) }
        guard 2...3 ~= parts.count else { throw error("a slice has one or two colons") }
        return .slice(value, parts[0], parts[1], parts.count == 3 ? parts[2] : nil)
    }

    /// Arguments after an opening bracket, closing bracket included.
    private mutating func arguments() throws(ChatTemplateError) -> TemplateArguments {
        var arguments = TemplateArguments()
        var isFirst = true
        while !take(.symbol(")")) {
            if !isFirst { try expect(.symbol(","), "\",\"") }
            if take(.symbol(")")) { break }
            isFirst = false
            if case .name(let name) = current, peek(1) == .symbol("=") {
                skip(2)
                arguments.named.append((name, try expression()))
            } else {
                arguments.positional.append(try expression())
            }
        }
        return arguments
    }

    // MARK: Filters and tests

    private mutating func filters(_ operand: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        var value = operand
        while true {
            let start = line
            if take(.symbol("|")) {
                let name = try name()
                let arguments = take(.symbol("(")) ? try arguments() : TemplateArguments()
                value = TemplateExpression(kind: .filter(value, name, arguments), line: start)
            } else if take(.name("is")) {
                let isNegated = take(.name("not"))
                let name = try name()
                let test = TemplateExpression(kind: .test(value, name, try testArguments()), line: start)
                value = isNegated ? TemplateExpression(kind: .not(test), line: start) : test
            } else if take(.symbol("(")) {
                value = TemplateExpression(kind: .call(value, try arguments()), line: start)
            } else {
                return value
            }
        }
    }

    /// The argument of a test needs no brackets.
    private mutating func testArguments() throws(ChatTemplateError) -> TemplateArguments {
        switch current {
        case .symbol("("):
            skip()
            return try arguments()
        case .name(let name) where !["else", "or", "and", "is", "if", "in", "not"].contains(name):
            return TemplateArguments(positional: [try postfix(try primary())])
        case .string, .integer, .number, .symbol("["), .symbol("{"):
            return TemplateArguments(positional: [try postfix(try primary())])
        default: return TemplateArguments()
        }
    }
}
