/// A day of the Gregorian calendar.
struct CalendarDate: Sendable, Equatable, Hashable {
    var year: Int
    var month: Int
    var day: Int

    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads MM/DD/YYYY; nil when there is no such day.
    init?(_ scanner: inout TextScanner) {
        guard let month = scanner.number(), scanner.accept("/"), let day = scanner.number(), scanner.accept("/"),
            let year = scanner.number(), 1...12 ~= month, 1...9998 ~= year,
            1...CalendarDate.length(ofMonth: month, year: year) ~= day
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// MM/DD/YYYY.
    var text: String {
        "\(padded(month))/\(padded(day))/\(year < 1000 ? "0" : "")\(year < 100 ? "0" : "")\(padded(year))"
    }

    static func length(ofMonth month: Int, year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    var monthLength: Int { Self.length(ofMonth: month, year: year) }

    /// The same day some months away, or the last day of a month that is too short.
    func adding(months: Int) -> CalendarDate {
        let count = year * 12 + month - 1 + months
        let (year, month) = (count / 12, count % 12 + 1)
        return CalendarDate(year: year, month: month, day: min(day, Self.length(ofMonth: month, year: year)))
    }
}

/// At least two digits.
func padded(_ number: Int) -> String { number >= 0 && number < 10 ? "0\(number)" : String(number) }
