/// The `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date, which is read against the server's own `Date`.
public enum RetryAfter {
    /// No server can make us wait longer.
    public static let longest = Duration.seconds(300)

    /// - Parameters:
    ///   - value: The header's value.
    ///   - date: The `Date` header of the same answer; without it a date cannot be read.
    /// - Returns: At most ``longest``, at least zero; nil for what is neither.
    public static func parse(_ value: String, date: String?) -> Duration? {
        let text = value.trimmingSpaces
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return min(longest, Int(text).map { .seconds($0) } ?? longest)
        }
        guard let then = HTTPDate.seconds(text), let now = date.flatMap({ HTTPDate.seconds($0.trimmingSpaces) }) else {
            return nil
        }
        return min(longest, .seconds(max(0, then - now)))
    }
}

/// Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970; nil for anything else.
    public static func seconds(_ text: String) -> Int? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]), (1970...9999).contains(year)
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]), (0...60).contains(time[2]) else {
            return nil
        }
        return days(year, month + 1, day) * 86400 + time[0] * 3600 + time[1] * 60 + time[2]
    }

    /// Days from 1 January 1970, in the Gregorian calendar: years are counted from March, so that leap days come last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
    }
}

extension String {
    var trimmingSpaces: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
