/// Reads phrases, words and numbers from a question, letting white space and the case of ASCII letters vary.
struct TextScanner {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Whether only white space is left.
    var isAtEnd: Bool { skippingBlanks(from: position) == bytes.count }

    /// Consumes a phrase if it stands here. Blanks in the phrase match any white space, a word never matches only the
    /// beginning of a longer one.
    mutating func accept(_ phrase: String) -> Bool {
        var at = skippingBlanks(from: position)
        var last: UInt8 = 0
        for byte in phrase.utf8 {
            if byte == UInt8(ascii: " ") {
                let next = skippingBlanks(from: at)
                if next == at && next < bytes.count { return false }
                at = next
            } else {
                guard at < bytes.count, lowercased(bytes[at]) == lowercased(byte) else { return false }
                at += 1
            }
            last = byte
        }
        if isWordByte(last), at < bytes.count, isWordByte(bytes[at]) { return false }
        position = at
        return true
    }

    /// Consumes whichever phrase stands here first in the list.
    mutating func accept(anyOf phrases: [String]) -> String? {
        for phrase in phrases where accept(phrase) { return phrase }
        return nil
    }

    /// Consumes letters, digits, apostrophes and hyphens inside a word.
    mutating func word() -> String? {
        let start = skippingBlanks(from: position)
        var end = start
        while end < bytes.count, isWordByte(bytes[end]) { end += 1 }
        guard end > start else { return nil }
        position = end
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Consumes a run of decimal digits.
    mutating func number() -> Int? {
        let start = skippingBlanks(from: position)
        var end = start
        while end < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[end] { end += 1 }
        guard end > start, let value = Int(String(decoding: bytes[start..<end], as: UTF8.self)) else { return nil }
        position = end
        return value
    }

    /// Consumes one character that is no white space.
    mutating func symbol() -> UInt8? {
        let start = skippingBlanks(from: position)
        guard start < bytes.count else { return nil }
        position = start + 1
        return bytes[start]
    }

    /// Consumes the rest of the line and returns it without the white space around it.
    mutating func line() -> String {
        var start = position
        while start < bytes.count, bytes[start] == UInt8(ascii: " ") { start += 1 }
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        position = min(end + 1, bytes.count)
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private func skippingBlanks(from start: Int) -> Int {
        var at = start
        while at < bytes.count, isBlank(bytes[at]) { at += 1 }
        return at
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte >= 0x80
            || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "-")
    }
}
