/// Python's string operations, over Unicode scalars.
enum TemplateStrings {
    /// Where a string first occurs in another, as offsets of UTF-8 bytes. O(both).
    static func range(of part: String, in text: String) -> Range<Int>? {
        if part.utf8.isEmpty { return 0..<0 }
        return places(of: Array(part.utf8), in: Array(text.utf8), limit: 1).first
    }

    /// Where a string that is not empty occurs in another, from the left and without overlap; at most `limit` times,
    /// or without limit when that is negative. O(both): after D. Knuth, J. Morris and V. Pratt (1977).
    private static func places(of part: [UInt8], in text: [UInt8], limit: Int) -> [Range<Int>] {
        guard part.count <= text.count, limit != 0 else { return [] }
        // For each length of a matched beginning, the longest shorter beginning that ends it.
        var shorter = [0, 0]
        var length = 0
        for index in part.indices.dropFirst() {
            while length > 0, part[length] != part[index] { length = shorter[length] }
            if part[length] == part[index] { length += 1 }
            shorter.append(length)
        }
        var places: [Range<Int>] = []
        length = 0
        for (index, byte) in text.enumerated() {
            while length > 0, part[length] != byte { length = shorter[length] }
            if part[length] == byte { length += 1 }
            guard length == part.count else { continue }
            places.append(index + 1 - length..<index + 1)
            length = 0
            if places.count == limit { break }
        }
        return places
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
            var rest = Substring(text).unicodeScalars.drop(while: isPythonSpace)
            while !rest.isEmpty {
                if limit >= 0, parts.count == limit {
                    parts.append(strip(String(rest), nil, left: false))
                    break
                }
                let word = rest.prefix { !isPythonSpace($0) }
                parts.append(String(word))
                rest = rest[word.endIndex...].drop(while: isPythonSpace)
            }
            return parts
        }
        let bytes = Array(text.utf8)
        var parts: [String] = []
        var start = 0
        for found in places(of: Array(separator.utf8), in: bytes, limit: limit) {
            parts.append(String(decoding: bytes[start..<found.lowerBound], as: UTF8.self))
            start = found.upperBound
        }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    /// - Throws: ``ChatTemplateError`` when the result would be too long.
    static func replace(
        _ text: String, _ old: String, _ new: String, limit: Int = -1, _ line: Int
    ) throws(ChatTemplateError) -> String {
        guard !old.utf8.isEmpty else { return text }
        return try join(split(text, old, limit: limit), new, line)
    }

    /// - Throws: ``ChatTemplateError`` when the result would be too long.
    static func join(_ parts: [String], _ separator: String, _ line: Int) throws(ChatTemplateError) -> String {
        let bytes = parts.reduce(0) { $0 + $1.utf8.count }
        try TemplateLimits.check(bytes: separator.utf8.count, times: max(0, parts.count - 1), and: bytes, line)
        return parts.joined(separator: separator)
    }

    /// First letter upper case, the rest lower case.
    static func capitalized(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.first else { return "" }
        return first.properties.titlecaseMapping + String(scalars.dropFirst()).lowercased()
    }
}
