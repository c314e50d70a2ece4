/// Splits text into words as the regular expressions of the GPT-2 and the Llama 3 family do, by hand.
///
/// Every byte belongs to a word. White space before a word is kept apart but for the one character the word takes.
struct WordScanner: Hashable {
    enum Family: Hashable {
        /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
        case gpt2
        /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|`
        /// `\s+(?!\S)|\s+`, k being the number given.
        case llama3(digits: Int)
    }

    let family: Family

    init(_ family: Family) { self.family = family }

    /// The scanner of a regular expression that is one of these, nil for another.
    init?(regex: String) {
        let known = [Family.gpt2, .llama3(digits: 3), .llama3(digits: 1)].map(WordScanner.init)
        guard let scanner = known.first(where: { $0.regex.utf8.elementsEqual(regex.utf8) }) else { return nil }
        self = scanner
    }

    /// The regular expression that the scanner stands for, as tokenizer files write it.
    var regex: String {
        switch family {
        case .gpt2:
            return "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
        case .llama3(let digits):
            let numbers = digits == 1 ? "\\p{N}" : "\\p{N}{1,\(digits)}"
            return
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\(numbers)| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
        }
    }

    /// Calls `body` with each word of `range` in order. O(range).
    @inline(__always)
    func forEachWord(in reader: ScalarReader, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end =
                switch family {
                case .gpt2: Self.gpt2Word(reader, start, range.upperBound)
                case .llama3(let digits): Self.llama3Word(reader, start, range.upperBound, digits)
                }
            body(start..<end)
            start = end
        }
    }

    // MARK: GPT-2

    private static let letter = CharacterClasses.letter
    private static let number = CharacterClasses.number
    private static let space = CharacterClasses.space
    private static let newline = CharacterClasses.newline
    private static let any = letter | number | space

    @inline(__always)
    private static func gpt2Word(_ reader: ScalarReader, _ start: Int, _ end: Int) -> Int {
        let first = reader.bytes[start]
        if first == UInt8(ascii: "'"), let stop = contraction(reader, start, end, ignoresCase: false) { return stop }
        var (classes, next) = reader.classes(at: start)
        if first == 0x20, next < end {
            let (after, stop) = reader.classes(at: next)
            if after & space == 0 { (classes, next) = (after, stop) }
        }
        if classes & letter != 0 { return run(reader, next, end) { $0 & letter != 0 } }
        if classes & number != 0 { return run(reader, next, end) { $0 & number != 0 } }
        if classes & space == 0 { return run(reader, next, end) { $0 & any == 0 } }
        return spaces(reader, start, end)
    }

    // MARK: Llama 3

    @inline(__always)
    private static func llama3Word(_ reader: ScalarReader, _ start: Int, _ end: Int, _ digits: Int) -> Int {
        let first = reader.bytes[start]
        if first == UInt8(ascii: "'"), let stop = contraction(reader, start, end, ignoresCase: true) { return stop }
        let (classes, next) = reader.classes(at: start)
        if classes & letter != 0 { return run(reader, next, end) { $0 & letter != 0 } }
        if classes & number != 0 {
            var (stop, count) = (next, 1)
            while stop < end, count < digits {
                let (classes, after) = reader.classes(at: stop)
                guard classes & number != 0 else { break }
                (stop, count) = (after, count + 1)
            }
            return stop
        }
        if next < end, classes & newline == 0 {
            let (after, stop) = reader.classes(at: next)
            if after & letter != 0 { return run(reader, stop, end) { $0 & letter != 0 } }
            if first == 0x20, after & any == 0 { return symbols(reader, stop, end) }
        }
        return classes & space == 0 ? symbols(reader, next, end) : lines(reader, start, end)
    }

    /// Symbols from an offset on, and the line ends after them.
    @inline(__always)
    private static func symbols(_ reader: ScalarReader, _ start: Int, _ end: Int) -> Int {
        var stop = run(reader, start, end) { $0 & any == 0 }
        while stop < end, reader.bytes[stop] == 0x0A || reader.bytes[stop] == 0x0D { stop += 1 }
        return stop
    }

    /// White space up to its last line end, or without one as ``spaces(_:_:_:)``.
    private static func lines(_ reader: ScalarReader, _ start: Int, _ end: Int) -> Int {
        var stop = start
        var lastLineEnd = -1
        while stop < end {
            let (classes, after) = reader.classes(at: stop)
            guard classes & space != 0 else { break }
            if classes & newline != 0 { lastLineEnd = after }
            stop = after
        }
        return lastLineEnd >= 0 ? lastLineEnd : spaces(reader, start, end)
    }

    // MARK: Parts

    @inline(__always)
    private static func run(_ reader: ScalarReader, _ start: Int, _ end: Int, _ isMember: (UInt8) -> Bool) -> Int {
        var stop = start
        while stop < end {
            let (classes, after) = reader.classes(at: stop)
            guard isMember(classes) else { break }
            stop = after
        }
        return stop
    }

    /// White space to the end of the text, or all but its last character when a word follows.
    private static func spaces(_ reader: ScalarReader, _ start: Int, _ end: Int) -> Int {
        var stop = start
        var last = start
        while stop < end {
            let (classes, after) = reader.classes(at: stop)
            guard classes & space != 0 else { return last > start ? last : stop }
            (last, stop) = (stop, after)
        }
        return stop
    }

    /// The offset after an English contraction that begins with the apostrophe at `start`.
    private static func contraction(_ reader: ScalarReader, _ start: Int, _ end: Int, ignoresCase: Bool) -> Int? {
        let bytes = reader.bytes
        let fold: UInt8 = ignoresCase ? 0x20 : 0
        guard start + 1 < end else { return nil }
        switch bytes[start + 1] | fold {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return start + 2 < end && bytes[start + 2] | fold == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"):
            return start + 2 < end && bytes[start + 2] | fold == UInt8(ascii: "l") ? start + 3 : nil
        default:
            // U+017F, the long s, is an s without its case.
            let isLongS = ignoresCase && start + 2 < end && bytes[start + 1] == 0xC5 && bytes[start + 2] == 0xBF
            return isLongS ? start + 3 : nil
        }
    }
}
