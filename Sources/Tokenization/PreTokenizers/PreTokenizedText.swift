/// A text with the words found in it so far.
struct PreTokenizedText {
    /// The text as the user gave it; used until a step changes it.
    private let source: UnsafeBufferPointer<UInt8>
    /// Where the source begins in the user's whole text.
    private let base: Int
    /// The text once it was changed.
    private var changed: MappedText?
    /// Ranges of the text, none of them empty.
    private(set) var words: [Range<Int>]

    /// - Parameter source: valid UTF-8 that outlives this value.
    init(source: UnsafeBufferPointer<UInt8>, base: Int) {
        (self.source, self.base) = (source, base)
        words = source.isEmpty ? [] : [0..<source.count]
    }

    /// Text that a normalizer has changed.
    init(_ text: MappedText) {
        (source, base) = (UnsafeBufferPointer(start: nil, count: 0), 0)
        changed = text
        words = text.bytes.isEmpty ? [] : [0..<text.bytes.count]
    }

    /// Reads the text.
    func withReader<Result>(_ body: (ScalarReader) -> Result) -> Result {
        CharacterClasses.table.withUnsafeBufferPointer { classes in
            guard let changed else { return body(ScalarReader(bytes: source, classes: classes.baseAddress!)) }
            return changed.bytes.withUnsafeBufferPointer {
                body(ScalarReader(bytes: $0, classes: classes.baseAddress!))
            }
        }
    }

    /// Replaces each word by parts of it.
    mutating func split(_ cut: (ScalarReader, Range<Int>, inout [Range<Int>]) -> Void) {
        words = withReader { reader in
            var parts: [Range<Int>] = []
            parts.reserveCapacity(words.count)
            for word in words { cut(reader, word, &parts) }
            return parts
        }
    }

    /// Replaces each word by a changed one.
    mutating func rewrite(_ change: (MappedText, Range<Int>, inout MappedText) -> Void) {
        let text = changed ?? MappedText(source, base: base)
        var output = MappedText()
        words = words.compactMap { word in
            let start = output.bytes.count
            change(text, word, &output)
            return start < output.bytes.count ? start..<output.bytes.count : nil
        }
        changed = output
    }

    /// Where a range of the text comes from, in bytes of the user's whole text, widened to whole characters.
    func origin(of range: Range<Int>) -> Range<Int> {
        guard !range.isEmpty else { return range }
        if let changed { return changed.origin(of: range) }
        var (start, end) = (range.lowerBound, range.upperBound)
        while source[start] & 0xC0 == 0x80 { start -= 1 }
        while end < source.count, source[end] & 0xC0 == 0x80 { end += 1 }
        return base + start..<base + end
    }
}
