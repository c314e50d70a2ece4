/// Cuts a Jinja template into text and tags, and tags into tokens.
///
/// As Hugging Face's libraries set Jinja up: `trim_blocks` and `lstrip_blocks` are on, so a line that holds only a
/// block tag leaves nothing behind. Python's notion of white space holds throughout.
struct TemplateLexer {
    enum Token: Equatable {
        case text(String)
        case beginOutput, endOutput, beginBlock, endBlock
        case name(String)
        case string(String)
        case integer(Int)
        case number(Double)
        case symbol(String)
    }

    struct Placed: Equatable {
        var token: Token
        var line: Int
    }

    private let source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var tokens: [Placed] = []
    /// The text before the next tag begins a line.
    private var isLineStart = true
    /// What a tag's end takes from the text after it.
    private var strips = Strip.nothing

    private enum Strip {
        case nothing, oneNewline, allSpace
    }

    static func tokens(of template: String) throws(ChatTemplateError) -> [Placed] {
        var lexer = TemplateLexer(template)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ template: String) {
        var scalars: [Unicode.Scalar] = []
        for scalar in template.unicodeScalars {
            if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
            scalars.append(scalar)
        }
        source = (scalars.last == "\n" || scalars.last == "\r" ? scalars.dropLast() : scalars[...])
            .map { $0 == "\r" ? "\n" : $0 }
    }

    // MARK: Text and tags

    private mutating func run() throws(ChatTemplateError) {
        while true {
            let start = skipStripped()
            guard let tag = nextTag(from: start) else {
                addText(start, source.count)
                return
            }
            let kind = source[tag + 1]
            let sign = tag + 2 < source.count ? source[tag + 2] : " "
            addText(start, textEnd(start, tag, kind: kind, sign: sign))
            advance(to: tag + 2 + (sign == "-" || sign == "+" ? 1 : 0))
            switch kind {
            case "#": try comment()
            case "{": try tagBody(from: .beginOutput, to: .endOutput, close: "}")
            default:
                if try !rawBlock() { try tagBody(from: .beginBlock, to: .endBlock, close: "%") }
            }
        }
    }

    private mutating func skipStripped() -> Int {
        var start = position
        switch strips {
        case .nothing: break
        case .oneNewline: if start < source.count, source[start] == "\n" { start += 1 }
        case .allSpace: while start < source.count, isPythonSpace(source[start]) { start += 1 }
        }
        strips = .nothing
        isLineStart = start == 0 || source[start - 1] == "\n"
        advance(to: start)
        return start
    }

    private func nextTag(from start: Int) -> Int? {
        var place = start
        while place + 1 < source.count {
            if source[place] == "{", "{%#".unicodeScalars.contains(source[place + 1]) { return place }
            place += 1
        }
        return nil
    }

    /// Where the text before a tag ends, after the tag and `lstrip_blocks` have taken their part.
    private func textEnd(_ start: Int, _ tag: Int, kind: Unicode.Scalar, sign: Unicode.Scalar) -> Int {
        var end = tag
        if sign == "-" {
            while end > start, isPythonSpace(source[end - 1]) { end -= 1 }
            return end
        }
        guard sign != "+", kind != "{" else { return tag }
        while end > start, source[end - 1] != "\n", isPythonSpace(source[end - 1]) { end -= 1 }
        let reachesLineStart = end > start ? source[end - 1] == "\n" : isLineStart
        return reachesLineStart ? end : tag
    }

    private mutating func addText(_ start: Int, _ end: Int) {
        guard start < end else { return }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: source[start..<end])
        tokens.append(Placed(token: .text(String(text)), line: line))
    }

    private mutating func advance(to end: Int) {
        while position < end {
            if source[position] == "\n" { line += 1 }
            position += 1
        }
    }

    private mutating func comment() throws(ChatTemplateError) {
        var end = position
        while end + 1 < source.count, source[end] != "#" || source[end + 1] != "}" { end += 1 }
        guard end + 1 < source.count else { throw error("a comment is not closed") }
        strips = end > position && source[end - 1] == "-" ? .allSpace : .oneNewline
        advance(to: end + 2)
    }

    /// `{% raw %}…{% endraw %}`: its inside is text.
    private mutating func rawBlock() throws(ChatTemplateError) -> Bool {
        guard let opened = keyword("raw", from: position) else { return false }
        advance(to: opened.end)
        strips = opened.strips ? .allSpace : .oneNewline
        let start = skipStripped()
        var place = start
        while let tag = nextTag(from: place) {
            let sign = tag + 2 < source.count ? source[tag + 2] : " "
            let inside = tag + 2 + (sign == "-" || sign == "+" ? 1 : 0)
            if source[tag + 1] == "%", let closed = keyword("endraw", from: inside) {
                addText(start, textEnd(start, tag, kind: "%", sign: sign))
                advance(to: closed.end)
                strips = closed.strips ? .allSpace : .oneNewline
                return true
            }
            place = tag + 2
        }
        throw error("the block \"raw\" is not closed")
    }

    /// The end of a tag that holds nothing but a word.
    private func keyword(_ word: String, from start: Int) -> (end: Int, strips: Bool)? {
        var place = start
        while place < source.count, isPythonSpace(source[place]) { place += 1 }
        for scalar in word.unicodeScalars {
            guard place < source.count, source[place] == scalar else { return nil }
            place += 1
        }
        while place < source.count, isPythonSpace(source[place]) { place += 1 }
        let strips = place < source.count && source[place] == "-"
        if strips { place += 1 }
        guard place + 1 < source.count, source[place] == "%", source[place + 1] == "}" else { return nil }
        return (place + 2, strips)
    }

    // MARK: Inside a tag

    private mutating func tagBody(
        from begin: Token, to end: Token, close: Unicode.Scalar
    ) throws(ChatTemplateError) {
        tokens.append(Placed(token: begin, line: line))
        var depth = 0
        while true {
            while position < source.count, isPythonSpace(source[position]) { advance(to: position + 1) }
            guard position < source.count else { throw error("a tag is not closed") }
            if depth == 0, let (after, sign) = tagEnd(close) {
                tokens.append(Placed(token: end, line: line))
                advance(to: after)
                strips = sign == "-" ? .allSpace : sign == nil && end == .endBlock ? .oneNewline : .nothing
                return
            }
            let token = try token()
            if case .symbol(let symbol) = token {
                if ["(", "[", "{"].contains(symbol) { depth += 1 }
                if [")", "]", "}"].contains(symbol) { depth -= 1 }
            }
        }
    }

    private func tagEnd(_ close: Unicode.Scalar) -> (end: Int, sign: Unicode.Scalar?)? {
        let sign = source[position] == "-" || source[position] == "+" ? source[position] : nil
        let place = position + (sign == nil ? 0 : 1)
        guard place + 1 < source.count, source[place] == close, source[place + 1] == "}" else { return nil }
        return (place + 2, sign)
    }

    private mutating func token() throws(ChatTemplateError) -> Token {
        let first = source[position]
        let start = line
        let token: Token
        if first == "_" || first.properties.isXIDStart {
            token = .name(take { $0 == "_" || $0.properties.isXIDContinue })
        } else if isDigit(first) {
            token = try numeral()
        } else if first == "'" || first == "\"" {
            token = .string(try literal(first))
        } else {
            let pairs = ["==", "!=", ">=", "<=", "//", "**"]
            let two = position + 1 < source.count ? "\(first)\(source[position + 1])" : ""
            let symbol = pairs.contains(two) ? two : "\(first)"
            guard pairs.contains(symbol) || "+-*/%~<>=.:,|()[]{}".unicodeScalars.contains(first) else {
                throw error("unexpected character \(symbol.debugDescription)")
            }
            advance(to: position + symbol.unicodeScalars.count)
            token = .symbol(symbol)
        }
        tokens.append(Placed(token: token, line: start))
        return token
    }

    private mutating func take(_ isMember: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while position < source.count, isMember(source[position]) {
            text.append(source[position])
            advance(to: position + 1)
        }
        return String(text)
    }

    private mutating func numeral() throws(ChatTemplateError) -> Token {
        let whole = take(isDigit)
        if position + 1 < source.count, source[position] == ".", isDigit(source[position + 1]) {
            advance(to: position + 1)
            return .number(Double("\(whole).\(take(isDigit))")!)
        }
        guard let value = Int(whole) else { throw error("the number \(whole.prefix(40)) is too large") }
        return .integer(value)
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { "0"..."9" ~= scalar }

    /// A string between quotes with Python's escapes.
    private mutating func literal(_ quote: Unicode.Scalar) throws(ChatTemplateError) -> String {
        var text = String.UnicodeScalarView()
        advance(to: position + 1)
        while position < source.count {
            let scalar = source[position]
            advance(to: position + 1)
            if scalar == quote { return String(text) }
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            guard position < source.count else { break }
            let escape = source[position]
            advance(to: position + 1)
            let simple: [Unicode.Scalar: Unicode.Scalar] = [
                "n": "\n", "t": "\t", "r": "\r", "b": "\u{8}", "f": "\u{C}", "v": "\u{B}", "a": "\u{7}", "\\": "\\",
                "'": "'", "\"": "\"", "0": "\0",
            ]
            if let replacement = simple[escape] {
                text.append(replacement)
            } else if let digits = ["x": 2, "u": 4, "U": 8][escape] {
                let code = String(String.UnicodeScalarView(source[position...].prefix(digits)))
                guard code.unicodeScalars.count == digits, let value = UInt32(code, radix: 16),
                    let scalar = Unicode.Scalar(value)
                else { throw error("a broken escape in a string") }
                text.append(scalar)
                advance(to: position + digits)
            } else if escape != "\n" {
                text.append("\\")
                text.append(escape)
            }
        }
        throw error("a string is not closed")
    }

    private func error(_ problem: String) -> ChatTemplateError { ChatTemplateError(line: line, problem: problem) }
}

/// White space as Python's `str.isspace` has it.
func isPythonSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
}
