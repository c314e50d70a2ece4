/// What a Split or a Replace looks for.
enum TextPattern: Sendable {
    case literal([UInt8])
    case words(WordScanner)
    case regex(RegexProgram)

    init(regex source: String, at path: String) throws(TokenizerError) {
        if let scanner = WordScanner(regex: source) {
            self = .words(scanner)
            return
        }
        do throws(RegexParser.Failure) {
            self = .regex(try RegexProgram(source))
        } catch {
            throw TokenizerError(
                path: path, problem: "the regular expression \(source.debugDescription): \(error.problem)")
        }
    }

    /// Calls `body` with the matches of a range and what lies between them, in order. O(range).
    func forEachPiece(
        in reader: ScalarReader, _ range: Range<Int>, _ body: (_ piece: Range<Int>, _ isMatch: Bool) -> Void
    ) {
        switch self {
        case .words(let scanner): scanner.forEachWord(in: reader, range) { body($0, true) }
        case .regex(let program):
            var matcher = RegexMatcher(program, reader, range)
            matcher.forEachPiece(body)
        case .literal(let literal):
            var (start, offset) = (range.lowerBound, range.lowerBound)
            while !literal.isEmpty, offset + literal.count <= range.upperBound {
                let end = offset + literal.count
                if reader.bytes[offset] == literal[0], reader.bytes[offset..<end].elementsEqual(literal) {
                    if start < offset { body(start..<offset, false) }
                    body(offset..<end, true)
                    (start, offset) = (end, end)
                } else {
                    offset += 1
                }
            }
            if start < range.upperBound { body(start..<range.upperBound, false) }
        }
    }
}
