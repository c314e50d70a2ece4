/// Dates: `5/6/1992` (month first), `1992-05-06`, `May 6, 1992`, `6th of May 1992`; the normal form is `05/06/1992`.
enum CalendarDate {
    /// The whole text is a date with slashes.
    static func isWhole(_ text: ArraySlice<UInt8>) -> Bool {
        let fields = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return fields.count == 3 && slashed(text) != nil
    }

    /// The one date in a text, nil when there is none or there are several.
    static func read(_ text: ArraySlice<UInt8>) -> String? {
        let tokens = text.split { !isWordByte($0) }.filter { !$0.elementsEqual("of".utf8) }
        var dates: Set<String> = []
        for (index, token) in tokens.enumerated() {
            if let date = slashed(token) ?? dashed(token) { dates.insert(date) }
            guard let month = month(token) else { continue }
            let before = index > 0 ? ordinal(tokens[index - 1]) : nil
            let after = index + 1 < tokens.count ? ordinal(tokens[index + 1]) : nil
            if let day = after, index + 2 < tokens.count, let year = year(tokens[index + 2]) {
                dates.insert(normal(month, day, year))
            } else if let day = before, index + 1 < tokens.count, let year = year(tokens[index + 1]) {
                dates.insert(normal(month, day, year))
            }
        }
        return dates.count == 1 ? dates.first : nil
    }

    private static func slashed(_ token: ArraySlice<UInt8>) -> String? {
        let fields = token.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(number)
        guard fields.count == 3, let month = fields[0], let day = fields[1], let year = fields[2] else { return nil }
        return valid(month, day, year)
    }

    private static func dashed(_ token: ArraySlice<UInt8>) -> String? {
        let fields = token.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(number)
        guard fields.count == 3, let year = fields[0], let month = fields[1], let day = fields[2] else { return nil }
        return valid(month, day, year)
    }

    private static func valid(_ month: Int, _ day: Int, _ year: Int) -> String? {
        1...12 ~= month && 1...31 ~= day && 1000...9999 ~= year ? normal(month, day, year) : nil
    }

    private static func normal(_ month: Int, _ day: Int, _ year: Int) -> String {
        "\(month < 10 ? "0" : "")\(month)/\(day < 10 ? "0" : "")\(day)/\(year)"
    }

    private static func month(_ token: ArraySlice<UInt8>) -> Int? {
        let names = [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december",
        ]
        let text = String(decoding: token, as: UTF8.self).lowercased()
        return names.firstIndex {
            $0 == text || (text.utf8.count == 3 && $0.hasPrefix(text)) || ($0 == "september" && text == "sept")
        }
        .map { $0 + 1 }
    }

    private static func ordinal(_ token: ArraySlice<UInt8>) -> Int? {
        let digits = token.prefix { 0x30...0x39 ~= $0 }
        let suffix = String(decoding: token.dropFirst(digits.count), as: UTF8.self).lowercased()
        guard ["", "st", "nd", "rd", "th"].contains(suffix), let day = number(digits), 1...31 ~= day else { return nil }
        return day
    }

    private static func year(_ token: ArraySlice<UInt8>) -> Int? {
        token.count == 4 ? number(token) : nil
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        guard 1...4 ~= text.count, text.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int(String(decoding: text, as: UTF8.self))
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-")
    }
}
