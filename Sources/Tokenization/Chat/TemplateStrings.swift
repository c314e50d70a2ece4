/// Python's string operations, over Unicode scalars.
enum TemplateStrings {
    /// Where a string first occurs in another, as offsets of UTF-8 bytes from `start` on.
    static func range(of part: String, in text: String, from start: Int = 0) -> Range<Int>? {
        let (part, text) = (Array(part.utf8), Array(text.utf8))
        guard start + part.count <= text.count else { return nil }
        for offset in start...text.count - part.count where text[offset..<offset + part.count].elementsEqual(part) {
            return offset..<offset + part.count
        }
        return nil
    }

    /// Without white space, or the characters given, at the ends.
    static func strip(_ text: String, _ characters: String?, left: Bool = true, right: Bool = true) -> String {
        let members = characters.map { Array($0.unicodeScalars) }
        let isStripped = { (scalar: Unicode.Scalar) in members?.contains(scalar) ?? isPythonSpace(scalar) }
        var scalars = Substring(text).unicodeScalars
        if left { scalars = scalars.drop(while: isStripped) }
        while right, let last = scalars.last, isStripped(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// The parts between separators; without a separator, between runs of white space.
    static func split(_ text: String, _ separator: String?, limit: Int = -1) -> [String] {
        guard let separator else {
            var parts: [String] = []
            var rest = strip(text, nil, right: false)
            while !rest.utf8.isEmpty {
                if limit >= 0, parts.count == limit {
                    parts.append(strip(rest, nil, left: false))
                    break
                }
                let word = rest.unicodeScalars.prefix { !isPythonSpace($0) }
                parts.append(String(word))
                rest = strip(String(rest.unicodeScalars.dropFirst(word.count)), nil, right: false)
            }
            return parts
        }
        let bytes = Array(text.utf8)
        var parts: [String] = []
        var start = 0
        while limit < 0 || parts.count < limit, let found = range(of: separator, in: text, from: start) {
            parts.append(String(decoding: bytes[start..<found.lowerBound], as: UTF8.self))
            start = found.upperBound
        }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    static func replace(_ text: String, _ old: String, _ new: String, limit: Int = -1) -> String {
        guard !old.utf8.isEmpty else { return text }
        return split(text, old, limit: limit).joined(separator: new)
    }

    /// First letter upper case, the rest lower case.
    static func capitalized(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.first else { return "" }
        return first.properties.titlecaseMapping + String(scalars.dropFirst()).lowercased()
    }
}
