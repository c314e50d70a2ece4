/// Reads the statements of a chat template.
struct TemplateParser {
    var expressions: TemplateExpressionParser

    static func parse(_ template: String) throws(ChatTemplateError) -> [TemplateNode] {
        var parser = TemplateParser(
            expressions: TemplateExpressionParser(tokens: try TemplateLexer.tokens(of: template)))
        return try parser.nodes(until: [])
    }

    /// Statements up to a block that begins with one of some words, which is left to read; or to the end.
    private mutating func nodes(until ends: [String], opened: String = "") throws(ChatTemplateError) -> [TemplateNode] {
        let start = expressions.line
        try expressions.enter()
        defer { expressions.leave() }
        var nodes: [TemplateNode] = []
        while let token = expressions.current {
            switch token {
            case .text(let text):
                expressions.skip()
                nodes.append(.text(text))
            case .beginOutput:
                expressions.skip()
                nodes.append(.output(try expressions.tuple()))
                try expressions.expect(.endOutput, "the end of the tag")
            case .beginBlock:
                guard case .name(let word) = expressions.peek(1) else {
                    throw expressions.error("a block without a name")
                }
                if ends.contains(word) { return nodes }
                expressions.skip(2)
                nodes += try statement(word)
            default: throw expressions.error("unexpected token in the text")
            }
        }
        guard ends.isEmpty else {
            throw ChatTemplateError(line: start, problem: "the block \"\(opened)\" is not closed")
        }
        return nodes
    }

    /// A block whose word has been read.
    private mutating func statement(_ word: String) throws(ChatTemplateError) -> [TemplateNode] {
        switch word {
        case "if": return [try condition()]
        case "for": return [try loop()]
        case "set": return [try assignment()]
        case "macro": return [try macro()]
        case "break", "continue":
            try endBlock()
            return [word == "break" ? .leaveLoop : .nextRound]
        case "generation":
            // Marks what the assistant wrote; it does not show.
            try endBlock()
            let body = try nodes(until: ["endgeneration"], opened: word)
            try close()
            return body
        default: throw expressions.error("the block \(word.debugDescription) is not supported")
        }
    }

    private mutating func condition() throws(ChatTemplateError) -> TemplateNode {
        var branches: [(test: TemplateExpression, body: [TemplateNode])] = []
        var otherwise: [TemplateNode] = []
        var test = try expressions.tuple()
        try endBlock()
        while true {
            let body = try nodes(until: ["elif", "else", "endif"], opened: "if")
            branches.append((test, body))
            let word = try blockWord()
            if word == "elif" {
                test = try expressions.tuple()
                try endBlock()
                continue
            }
            try endBlock()
            if word == "else" {
                otherwise = try nodes(until: ["endif"], opened: "if")
                try close()
            }
            return .condition(branches, otherwise: otherwise)
        }
    }

    private mutating func loop() throws(ChatTemplateError) -> TemplateNode {
        let names = try self.names()
        try expressions.expect(.name("in"), "\"in\"")
        let sequence = try expressions.tuple(withConditions: false)
        var filter: TemplateExpression?
        if expressions.take(.name("if")) { filter = try expressions.expression() }
        if expressions.take(.name("recursive")) { throw expressions.error("recursive loops are not supported") }
        try endBlock()
        let body = try nodes(until: ["else", "endfor"], opened: "for")
        var otherwise: [TemplateNode] = []
        if try blockWord() == "else" {
            try endBlock()
            otherwise = try nodes(until: ["endfor"], opened: "for")
            try close()
        } else {
            try endBlock()
        }
        return .loop(names: names, sequence, filter: filter, body: body, otherwise: otherwise)
    }

    private mutating func assignment() throws(ChatTemplateError) -> TemplateNode {
        let names = try self.names()
        var target = TemplateTarget.names(names)
        if names.count == 1, expressions.take(.symbol(".")) {
            target = .attribute(of: names[0], try expressions.name())
        }
        if expressions.take(.symbol("=")) {
            let value = try expressions.tuple()
            try endBlock()
            return .set(target, value)
        }
        try endBlock()
        let body = try nodes(until: ["endset"], opened: "set")
        try close()
        return .capture(target, body)
    }

    private mutating func macro() throws(ChatTemplateError) -> TemplateNode {
        let name = try expressions.name()
        try expressions.expect(.symbol("("), "\"(\"")
        var parameters: [(name: String, fallback: TemplateExpression?)] = []
        while !expressions.take(.symbol(")")) {
            if !parameters.isEmpty { try expressions.expect(.symbol(","), "\",\"") }
            let parameter = try expressions.name()
            parameters.append((parameter, expressions.take(.symbol("=")) ? try expressions.expression() : nil))
        }
        try endBlock()
        let body = try nodes(until: ["endmacro"], opened: "macro")
        try close()
        return .macro(TemplateMacro(name: name, parameters: parameters, body: body))
    }

    // MARK: Parts

    private mutating func names() throws(ChatTemplateError) -> [String] {
        let isBracketed = expressions.take(.symbol("("))
        var names = [try expressions.name()]
        while expressions.take(.symbol(",")) { names.append(try expressions.name()) }
        if isBracketed { try expressions.expect(.symbol(")"), "\")\"") }
        return names
    }

    /// The word of a block, reading up to it.
    private mutating func blockWord() throws(ChatTemplateError) -> String {
        try expressions.expect(.beginBlock, "a block")
        return try expressions.name()
    }

    private mutating func endBlock() throws(ChatTemplateError) {
        try expressions.expect(.endBlock, "the end of the tag")
    }

    /// A closing block, whose word is known.
    private mutating func close() throws(ChatTemplateError) {
        _ = try blockWord()
        if case .name = expressions.current { expressions.skip() }
        try endBlock()
    }
}
