/// The words or steps of a text: neighbouring byte ranges that together cover it.
///
/// White space belongs to the unit behind it, and at the end of the text to the last.
struct TextUnits {
    /// Where each unit ends, as UTF-8 byte offsets.
    let ends: [Int]

    /// The unit that holds a byte. O(log units).
    func unit(ofByte offset: Int) -> Int {
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return min(low, max(0, ends.count - 1))
    }

    // MARK: Words

    /// O(text).
    static func words(of text: String) -> TextUnits {
        var ends: [Int] = []
        var (offset, previous): (Int, Character?) = (0, nil)
        var isInUnit = false
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let kind = Character(scalar)
            if let previous, isInUnit, !joins(previous, kind, after: index, in: scalars) {
                ends.append(offset)
                isInUnit = false
            }
            offset += UTF8.width(scalar)
            if kind != .space { isInUnit = true }
            previous = kind
        }
        if isInUnit || ends.isEmpty { ends.append(offset) } else { ends[ends.count - 1] = offset }
        return TextUnits(ends: ends)
    }

    private enum Character: Equatable {
        case space, letter
        case symbol(Unicode.Scalar)

        init(_ scalar: Unicode.Scalar) {
            if scalar.properties.isWhitespace {
                self = .space
            } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_" {
                self = .letter
            } else {
                switch scalar.properties.generalCategory {
                case .nonspacingMark, .spacingMark, .enclosingMark: self = .letter
                default: self = .symbol(scalar)
                }
            }
        }

        /// Written between two letters it belongs to their word.
        var isInner: Bool {
            if case .symbol(let scalar) = self { return [".", ",", "'", "\u{2019}"].contains(scalar) }
            return false
        }
    }

    private static func joins(
        _ previous: Character, _ kind: Character, after index: Int, in scalars: [Unicode.Scalar]
    ) -> Bool {
        guard kind != .space, previous != .space else { return false }
        if previous == kind { return true }
        let isLetter = { (place: Int) in scalars.indices.contains(place) && Character(scalars[place]) == .letter }
        if kind.isInner, previous == .letter { return isLetter(index + 1) }
        return previous.isInner && kind == .letter && isLetter(index - 2)
    }

    // MARK: Steps

    /// A step ends with its line, or behind a full stop, a question or an exclamation mark (and the quotes and brackets
    /// that close there) before white space. The number of a list, such as `2.` at the start of a line, is no step.
    /// O(text).
    static func steps(of text: String) -> TextUnits {
        let bytes = Array(text.utf8)
        var ends: [Int] = []
        var lineStart = 0
        var isInUnit = false
        for (offset, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") {
                if isInUnit { ends.append(offset) }
                (isInUnit, lineStart) = (false, offset + 1)
            } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                if isInUnit, endsSentence(bytes[lineStart..<offset]) {
                    ends.append(offset)
                    isInUnit = false
                }
            } else {
                isInUnit = true
            }
        }
        if isInUnit || ends.isEmpty { ends.append(bytes.count) } else { ends[ends.count - 1] = bytes.count }
        return TextUnits(ends: ends)
    }

    /// Whether a line up to here ends with a sentence. O(1) but for the number of a list.
    private static func endsSentence(_ line: ArraySlice<UInt8>) -> Bool {
        var end = line.endIndex
        let closing = Array("\"')]".utf8)
        while end > line.startIndex, closing.contains(line[end - 1]) { end -= 1 }
        guard end > line.startIndex, Array(".!?".utf8).contains(line[end - 1]) else { return false }
        let number = line[..<(end - 1)].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return number.isEmpty || number.count > 4 || !number.allSatisfy { 0x30...0x39 ~= $0 }
    }
}
