/// The few elements of S3's XML that matter here. Nothing else is interpreted: no entity but the five of XML, no
/// attribute, no nesting.
enum S3Answer {
    /// The text of the first element of that name.
    static func text(_ element: String, in body: [UInt8]) -> String? { texts(element, in: body).first }

    /// The texts of all elements of that name, in order.
    static func texts(_ element: String, in body: [UInt8]) -> [String] {
        elements(element, in: body).map { unescaped(String(decoding: $0, as: UTF8.self)) }
    }

    /// What stands between the tags of all elements of that name, in order.
    static func elements(_ element: String, in body: [UInt8]) -> [[UInt8]] {
        let (open, close) = (Array("<\(element)>".utf8), Array("</\(element)>".utf8))
        var contents: [[UInt8]] = []
        var position = 0
        while let start = find(open, in: body, from: position),
            let end = find(close, in: body, from: start + open.count)
        {
            contents.append(Array(body[start + open.count..<end]))
            position = end + close.count
        }
        return contents
    }

    /// An ETag without the quotes that some answers of a server have and others lack.
    static func tag(_ text: String?) -> String? {
        text.map { $0.hasPrefix("\"") && $0.hasSuffix("\"") && $0.count > 1 ? String($0.dropFirst().dropLast()) : $0 }
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count - start >= pattern.count else { return nil }
        return (start...bytes.count - pattern.count).first { position in
            bytes[position] == pattern[0] && bytes[position..<position + pattern.count].elementsEqual(pattern)
        }
    }

    private static func unescaped(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let mark = rest.firstIndex(of: "&") {
            result += rest[..<mark]
            rest = rest[mark...]
            let known = [
                ("&quot;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&#34;", "\""),
            ]
            if let (escape, character) = known.first(where: { rest.hasPrefix($0.0) }) {
                result += character
                rest = rest.dropFirst(escape.count)
            } else {
                result += "&"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }
}
