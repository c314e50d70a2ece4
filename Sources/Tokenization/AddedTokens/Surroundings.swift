/// White space around places in a text, as \s has it.
///
/// Runs are remembered, so that asking for many places of one run costs no more than asking once.
struct WhiteSpace {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// White space from its beginning, and white space up to its end, as they were found last.
    private var fromStart = 0..<0
    private var toEnd = 0..<0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func start(before end: Int) -> Int {
        if fromStart.lowerBound < end, end <= fromStart.upperBound { return fromStart.lowerBound }
        var start = end
        while let (value, offset) = scalar(before: start, in: bytes), WhiteSpace.isSpace(value) { start = offset }
        fromStart = start..<end
        return start
    }

    mutating func end(after start: Int) -> Int {
        if toEnd.lowerBound <= start, start < toEnd.upperBound { return toEnd.upperBound }
        var end = start
        while let (value, offset) = scalar(after: end, in: bytes), WhiteSpace.isSpace(value) { end = offset }
        toEnd = start..<end
        return end
    }

    private static func isSpace(_ value: UInt32) -> Bool {
        CharacterClasses.table[Int(value)] & CharacterClasses.space != 0
    }
}

/// Word characters next to a place in a text, as \w has them.
enum WordCharacters {
    static func touch(_ range: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let before = scalar(before: range.lowerBound, in: bytes)?.value
        let after = scalar(after: range.upperBound, in: bytes)?.value
        return before.map(isWord) ?? false || after.map(isWord) ?? false
    }

    private static func isWord(_ value: UInt32) -> Bool {
        guard let properties = Unicode.Scalar(value)?.properties, properties.age?.major ?? .max <= 16 else {
            return false
        }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return properties.isAlphabetic || properties.isJoinControl
        }
    }
}

private func scalar(
    before end: Int, in bytes: UnsafeBufferPointer<UInt8>
) -> (value: UInt32, offset: Int)? {
    guard end > 0 else { return nil }
    var start = end - 1
    while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
    return (ScalarReader(bytes: bytes, classes: UnsafePointer(bitPattern: 1)!).scalar(at: start).value, start)
}

private func scalar(
    after start: Int, in bytes: UnsafeBufferPointer<UInt8>
) -> (value: UInt32, offset: Int)? {
    guard start < bytes.count else { return nil }
    let (value, end) = ScalarReader(bytes: bytes, classes: UnsafePointer(bitPattern: 1)!).scalar(at: start)
    return (value, end)
}
