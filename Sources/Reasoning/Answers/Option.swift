/// Option letters: `(B)`, `B`, `B.`, `B)`, `(b) the second one`, `option B`.
enum Option {
    /// `(B)`, or nil when the text does not begin with one option or names several.
    static func read(_ text: ArraySlice<UInt8>) -> String? {
        var text = text
        for word in ["option ", "choice ", "answer "] where lowercased(text.prefix(word.utf8.count)) == Array(word.utf8)
        {
            text = text.dropFirst(word.utf8.count).drop { "*_`\"' ".utf8.contains($0) }
        }
        guard let (letter, rest) = Option.letter(text) else { return nil }
        if let (second, _) = Option.letter(afterConnective: rest), second != letter { return nil }
        return "(\(Character(Unicode.Scalar(letter))))"
    }

    /// The letter at the start of a text, in upper case, and what follows it.
    private static func letter(_ text: ArraySlice<UInt8>) -> (UInt8, ArraySlice<UInt8>)? {
        guard let first = text.first else { return nil }
        if first == UInt8(ascii: "(") || first == UInt8(ascii: "[") {
            let inside = text.dropFirst()
            guard let letter = inside.first, 0x61...0x7A ~= letter | 0x20,
                let close = inside.dropFirst().first, close == UInt8(ascii: ")") || close == UInt8(ascii: "]")
            else { return nil }
            return (letter & 0xDF, inside.dropFirst(2))
        }
        guard 0x61...0x7A ~= first | 0x20 else { return nil }
        let rest = text.dropFirst()
        // Unbracketed, only a capital with punctuation, a connective or nothing after it: "A dog" is no option.
        guard let next = rest.first else { return (first & 0xDF, rest) }
        guard 0x41...0x5A ~= first, ").:,;*/".utf8.contains(next) || letter(afterConnective: rest) != nil else {
            return nil
        }
        return (first, next == UInt8(ascii: ")") ? rest.dropFirst() : rest)
    }

    /// The letter after ", ", " and ", " or ", "/" or "&".
    private static func letter(afterConnective text: ArraySlice<UInt8>) -> (UInt8, ArraySlice<UInt8>)? {
        var rest = text
        var found = false
        while let byte = rest.first {
            if byte == 0x20 {
                rest.removeFirst()
            } else if ",/&".utf8.contains(byte) {
                rest.removeFirst()
                found = true
            } else if let word = ["and ", "or "].first(where: {
                lowercased(rest.prefix($0.utf8.count)) == Array($0.utf8)
            }) {
                rest = rest.dropFirst(word.utf8.count)
                found = true
            } else {
                break
            }
        }
        return found ? letter(rest) : nil
    }

    private static func lowercased(_ text: ArraySlice<UInt8>) -> [UInt8] {
        text.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
    }
}
