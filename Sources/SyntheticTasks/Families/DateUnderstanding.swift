import Reasoning

/// Dates from context: `Yesterday was 03/14/2021. What is the date 5 days later in MM/DD/YYYY?`, with options.
///
/// Solved with the sum of days, and the length of each month that is passed.
public struct DateUnderstanding: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var anchor: Anchor
        var date: CalendarDate
        var shift: Shift
        var options: [String]
    }

    /// What the given date is.
    enum Anchor: String, Sendable, CaseIterable {
        case today = "Today is"
        case yesterday = "Yesterday was"
        case tomorrow = "Tomorrow is"

        /// Days from the anchor to today.
        var daysToToday: Int {
            switch self {
            case .today: 0
            case .yesterday: 1
            case .tomorrow: -1
            }
        }
    }

    enum Unit: String, Sendable, CaseIterable {
        case day, week, month, year
    }

    /// How far the wanted date lies from today; negative in the past.
    struct Shift: Sendable, Equatable {
        var count: Int
        var unit: Unit

        var text: String {
            switch (count, unit) {
            case (1, .day): "tomorrow"
            case (-1, .day): "yesterday"
            default:
                "\(abs(count)) \(unit.rawValue)\(abs(count) == 1 ? "" : "s") \(count < 0 ? "ago" : "later")"
            }
        }
    }

    public var name: String { "date_understanding" }
    public var summary: String { "Infer a date from context." }

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let optionCount = [3, 4, 5, 6][level - 1]
        while true {
            let anchor = level == 1 ? .today : generator.element(of: Anchor.allCases)
            let shift = shift(level: level, using: &generator)
            let year = generator.integer(in: 2012...2027)
            let month = generator.integer(in: 1...12)
            let day = generator.integer(in: 1...CalendarDate.length(ofMonth: month, year: year))
            var problem = Problem(
                anchor: anchor, date: CalendarDate(year: year, month: month, day: day), shift: shift, options: [])
            let right = outcome(of: problem)
            let crosses = right.map { $0.prefix(2) != padded(month)[...] } ?? false
            let isCalendarShift = shift.unit == .month || shift.unit == .year
            guard let right, isCalendarShift || crosses == (level > 2) else { continue }
            let distractors = distractors(for: problem, right, using: &generator).prefix(optionCount - 1)
            problem.options = generator.shuffled([right] + distractors)
            return problem
        }
    }

    private func shift(level: Int, using generator: inout SeededGenerator) -> Shift {
        let sign = generator.chance(0.5) ? 1 : -1
        if level == 2, generator.chance(0.3) {
            return Shift(count: sign, unit: generator.element(of: [.month, .year]))
        }
        if level > 1, generator.chance(0.25) {
            return Shift(count: sign * generator.integer(in: 1...(level == 4 ? 4 : 2)), unit: .week)
        }
        return Shift(count: sign * generator.integer(in: 1...[9, 9, 20, 45][level - 1]), unit: .day)
    }

    /// Where the solution, with or without a slip, arrives.
    private func outcome(of problem: Problem, slip: Slip? = nil, found: ((Scratchpad) -> Void)? = nil) -> String? {
        var pad = Scratchpad(wording: Wording(question: ""), slip: slip)
        let date = steps(problem, on: &pad)
        found?(pad)
        return date.year < 1 ? nil : date.text
    }

    /// Dates that likely mistakes lead to first, then dates with one part changed.
    private func distractors(
        for problem: Problem, _ right: String, using generator: inout SeededGenerator
    ) -> [String] {
        var slips: [Slip] = []
        _ = outcome(of: problem) { slips = $0.opportunities }
        var seen: Set<String> = [right]
        let likely = generator.shuffled(slips).compactMap { outcome(of: problem, slip: $0) }
        var result = Array(likely.filter { seen.insert($0).inserted }.prefix(3))
        while result.count < 5 {
            let date = CalendarDate(
                year: problem.date.year + generator.integer(in: -1...1), month: generator.integer(in: 1...12),
                day: generator.integer(in: 1...28))
            if seen.insert(date.text).inserted { result.append(date.text) }
        }
        return result
    }

    public func question(for problem: Problem) -> String {
        "\(problem.anchor.rawValue) \(problem.date.text). What is the date \(problem.shift.text) in MM/DD/YYYY?\n"
            + AnswerOptions(problem.options).text
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        guard let anchor = scanner.accept(anyOf: Anchor.allCases.map(\.rawValue)).flatMap(Anchor.init),
            let date = CalendarDate(&scanner), scanner.accept("."), scanner.accept("What is the date"),
            let shift = shift(&scanner), scanner.accept("in MM/DD/YYYY?"), let options = AnswerOptions(&scanner)
        else { return nil }
        return Problem(anchor: anchor, date: date, shift: shift, options: options.values)
    }

    private func shift(_ scanner: inout TextScanner) -> Shift? {
        if scanner.accept("tomorrow") { return Shift(count: 1, unit: .day) }
        if scanner.accept("yesterday") { return Shift(count: -1, unit: .day) }
        guard let count = scanner.number() ?? (scanner.accept("one") ? 1 : nil), count <= 1000,
            let word = scanner.word(),
            let unit = Unit.allCases.first(where: { word == $0.rawValue || word == $0.rawValue + "s" }),
            let way = scanner.accept(anyOf: ["later", "ago"])
        else { return nil }
        return Shift(count: way == "ago" ? -count : count, unit: unit)
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        let date = steps(problem, on: &pad)
        guard let letter = AnswerOptions(problem.options).letter(of: date.text) else { return nil }
        pad.write(" \(pad.phrase("match", ["That is", "This is"])) option \(letter).")
        return letter
    }

    private func steps(_ problem: Problem, on pad: inout Scratchpad) -> CalendarDate {
        pad.write("\(problem.anchor.rawValue) \(problem.date.text)")
        var today = problem.date
        let toToday = problem.anchor.daysToToday
        if toToday != 0 {
            today = moved(problem.date, by: toToday)
            let back = moved(problem.date, by: -toToday)
            pad.write(", ")
            today = pad.decide(today, or: [.mistake(.logical, back), .mistake(.logical, problem.date)]) {
                $0.write("so today is \($1.text)")
            }
        }
        pad.write(".")
        let so = pad.phrase("so", [", so ", ", thus "])
        let label = problem.shift.text
        let sign = problem.shift.count < 0 ? -1 : 1
        switch problem.shift.unit {
        case .year, .month:
            let months = problem.shift.count * (problem.shift.unit == .year ? 12 : 1)
            let part = problem.shift.unit == .year ? today.year : today.month
            pad.write(" \(capitalised(problem.shift.unit.rawValue)) \(padded(part)) \(sign < 0 ? "-" : "+") ")
            pad.write("\(abs(problem.shift.count))\(so)\(label) is ")
            let mistaken: [MistakenValue<CalendarDate>] = [
                .mistake(.logical, today.adding(months: -months)),
                .mistake(.calculation, today.adding(months: 2 * months)),
                .mistake(.knowledge, today.adding(months: problem.shift.unit == .year ? sign : 12 * sign)),
            ]
            let date = pad.decide(today.adding(months: months), or: mistaken) { $0.write($1.text) }
            pad.write(".")
            return date
        case .day, .week:
            var days = abs(problem.shift.count)
            if problem.shift.unit == .week {
                let weeks = days
                pad.write(" \(weeks) week\(weeks == 1 ? " is" : "s are") ")
                days = pad.decide(7 * weeks, or: [.mistake(.knowledge, 6 * weeks), .mistake(.knowledge, 5 * weeks)]) {
                    $0.write("\($1) days.")
                }
            }
            let forward = pad.decide(sign > 0, or: [.mistake(.logical, sign < 0)]) { pad, forward in
                pad.write(" \(padded(today.day)) \(forward ? "+" : "-") \(days)")
            }
            let date = forward ? later(today, days, on: &pad) : earlier(today, days, on: &pad)
            pad.write("\(so)\(label) is \(date.text).")
            return date
        }
    }

    /// Writes ` = 33. February has 28 days, 33 - 28 = 05` or the like behind the sum.
    private func later(_ today: CalendarDate, _ days: Int, on pad: inout Scratchpad) -> CalendarDate {
        var date = today
        date.day = decideNumber(today.day + days, on: &pad)
        while date.day > date.monthLength, date.year < 9999 {
            let length = decideLength(of: date, on: &pad)
            guard date.day > length else { break }
            pad.write(", \(date.day) - \(length)")
            let rest = decideNumber(date.day - length, on: &pad)
            date = CalendarDate(year: date.year, month: date.month, day: 1).adding(months: 1)
            date.day = max(rest, 1)
        }
        return date
    }

    /// Writes ` = 09`, or ` is below 1. February has 28 days, 28 + 5 - 9 = 24` or the like, behind the difference.
    private func earlier(_ today: CalendarDate, _ days: Int, on pad: inout Scratchpad) -> CalendarDate {
        var date = today
        var left = days
        while left >= date.day, date.year > 1 {
            let before = CalendarDate(year: date.year, month: date.month, day: 1).adding(months: -1)
            pad.write(" is below 1")
            pad.write(".")
            let length = decideLength(of: before, on: &pad, isFirstInSentence: false)
            pad.write(", \(length) + \(padded(date.day)) - \(left)")
            left -= date.day
            date = before
            date.day = length
        }
        date.day = max(decideNumber(date.day - left, on: &pad), 1)
        return date
    }

    private func decideNumber(_ right: Int, on pad: inout Scratchpad) -> Int {
        let mistaken = [right + 1, right - 1].filter { $0 > 0 }.map { MistakenValue.mistake(.calculation, $0) }
        return pad.decide(right, or: mistaken) { $0.write(" = \(padded($1))") }
    }

    private func decideLength(of date: CalendarDate, on pad: inout Scratchpad, isFirstInSentence: Bool = true) -> Int {
        let right = date.monthLength
        let others = [28, 29, 30, 31].filter { abs($0 - right) == 1 }.map { MistakenValue.mistake(.knowledge, $0) }
        pad.write(isFirstInSentence ? ". " : " ")
        return pad.decide(right, or: others) {
            $0.write("\(CalendarDate.monthNames[date.month - 1]) has \($1) days")
        }
    }

    private func moved(_ date: CalendarDate, by days: Int) -> CalendarDate {
        var pad = Scratchpad(wording: Wording(question: ""))
        return days < 0 ? earlier(date, -days, on: &pad) : later(date, days, on: &pad)
    }
}
