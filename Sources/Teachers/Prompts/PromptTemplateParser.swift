/// Reads the text of a ``PromptTemplate``.
struct PromptTemplateParser {
    private let bytes: [UInt8]
    private let file: String
    private let vocabulary: PromptTemplate.Vocabulary
    private var position = 0
    private var problems: [PromptTemplateError.Problem] = []
    private var used: Set<String> = []

    init(_ text: String, file: String, vocabulary: PromptTemplate.Vocabulary) {
        var bytes = Array(text.utf8)
        while let last = bytes.last, last == 0x20 || (0x09...0x0D).contains(last) { bytes.removeLast() }
        self.bytes = bytes
        self.file = file
        self.vocabulary = vocabulary
    }

    private enum Tag {
        case value(String)
        case opening(String)
        case closing(String)
    }

    mutating func template() throws(PromptTemplateError) -> [PromptTemplate.Piece] {
        let result = pieces(inside: nil, openedAt: 0)
        for name in vocabulary.required where !used.contains(name) {
            report("the placeholder {\(name)} is missing", at: bytes.count)
        }
        guard problems.isEmpty else { throw PromptTemplateError(file: file, problems: problems) }
        return result
    }

    private mutating func pieces(inside block: String?, openedAt opening: Int) -> [PromptTemplate.Piece] {
        var result: [PromptTemplate.Piece] = []
        var literal: [UInt8] = []
        func flush() {
            if !literal.isEmpty { result.append(.text(String(decoding: literal, as: UTF8.self))) }
            literal = []
        }
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "{")
            {
                literal.append(UInt8(ascii: "{"))
                position += 2
                continue
            }
            let start = position
            guard bytes[position] == UInt8(ascii: "{"), let tag = tag() else {
                literal.append(bytes[position])
                position += 1
                continue
            }
            switch tag {
            case .value(let name):
                check(name, inside: block, at: start)
                flush()
                result.append(.value(name))
            case .opening(let name):
                checkOpening(name, inside: block, at: start)
                takeRestOfLine(before: &literal, from: start)
                flush()
                result.append(.block(name, pieces(inside: name, openedAt: start)))
            case .closing(let name):
                takeRestOfLine(before: &literal, from: start)
                flush()
                if block == name { return result }
                report(
                    block.map { "expected {/\($0)} here, found {/\(name)}" } ?? "no block {#\(name)} is open here",
                    at: start)
            }
        }
        flush()
        if let block { report("the block {#\(block)} is never closed", at: opening) }
        return result
    }

    /// Consumes `{name}`, `{#name}` or `{/name}` if one stands here.
    private mutating func tag() -> Tag? {
        var at = position + 1
        guard at < bytes.count else { return nil }
        let mark = bytes[at]
        if mark == UInt8(ascii: "#") || mark == UInt8(ascii: "/") { at += 1 }
        let start = at
        while at < bytes.count, (0x61...0x7A).contains(bytes[at]) || bytes[at] == UInt8(ascii: "_") { at += 1 }
        guard at > start, at < bytes.count, bytes[at] == UInt8(ascii: "}") else { return nil }
        position = at + 1
        let name = String(decoding: bytes[start..<at], as: UTF8.self)
        switch mark {
        case UInt8(ascii: "#"): return .opening(name)
        case UInt8(ascii: "/"): return .closing(name)
        default: return .value(name)
        }
    }

    /// When a block's tag is alone on its line, drops the blanks before it and the line end behind it.
    private mutating func takeRestOfLine(before literal: inout [UInt8], from start: Int) {
        var before = start
        while before > 0, bytes[before - 1] == 0x20 { before -= 1 }
        guard before == 0 || bytes[before - 1] == 0x0A else { return }
        var after = position
        while after < bytes.count, bytes[after] == 0x20 || bytes[after] == 0x0D { after += 1 }
        guard after == bytes.count || bytes[after] == 0x0A else { return }
        literal.removeLast(min(start - before, literal.count))
        position = min(after + 1, bytes.count)
    }

    private mutating func check(_ name: String, inside block: String?, at offset: Int) {
        used.insert(block == nil ? name : "")
        let valid = block.map { vocabulary.blocks[$0] ?? [] } ?? vocabulary.required + vocabulary.optional
        guard !valid.contains(name), block == nil || vocabulary.blocks[block ?? ""] != nil else { return }
        let place = block.map { " in the block {#\($0)}" } ?? ""
        report(
            "there is no placeholder {\(name)}\(place)" + suggestion(for: name, among: valid) { "{\($0)}" }, at: offset)
    }

    private mutating func checkOpening(_ name: String, inside block: String?, at offset: Int) {
        if let block { report("the block {#\(name)} stands inside {#\(block)}; blocks do not nest", at: offset) }
        guard vocabulary.blocks[name] == nil else { return }
        let valid = vocabulary.blocks.keys.sorted()
        report("there is no block {#\(name)}" + suggestion(for: name, among: valid) { "{#\($0)}" }, at: offset)
    }

    private mutating func report(_ message: String, at offset: Int) {
        var (line, lineStart) = (1, 0)
        for index in 0..<offset where bytes[index] == 0x0A {
            line += 1
            lineStart = index + 1
        }
        problems.append(PromptTemplateError.Problem(line: line, column: offset - lineStart + 1, message: message))
    }
}
