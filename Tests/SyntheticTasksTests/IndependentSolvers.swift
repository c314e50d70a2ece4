import Reasoning

/// The answer to a generated question, found by other means than the families': from the words of the text.
func independentAnswer(to question: Question) -> String? {
    let words = question.question.split { " \n,.?:".contains($0) }.map(String.init)
    switch question.task {
    case "boolean_expressions":
        var parser = ExpressionParser(tokens: words.dropLast())
        return parser.disjunction() ? "True" : "False"
    case "multistep_arithmetic":
        var parser = ExpressionParser(tokens: words.dropLast())
        return String(parser.sum())
    case "object_counting": return count(words)
    case "tracking_shuffled_objects": return option(track(words), question)
    case "web_of_lies": return lies(words)
    case "navigate": return walk(words)
    case "dyck_languages": return close(words.filter { "[](){}<>".contains($0) })
    case "word_sorting": return words.dropFirst(3).sorted().joined(separator: " ")
    case "logical_deduction": return option(deduce(words), question)
    case "date_understanding": return option(date(question.question), question)
    case "temporal_sequences": return option(freeTime(words), question)
    case "animals_in_a_table": return option(table(question.question), question)
    default: return nil
    }
}

private func option(_ value: String?, _ question: Question) -> String? {
    value.flatMap { question.options?.firstIndex(of: $0) }.map { "(\(Character(Unicode.Scalar(65 + UInt8($0)))))" }
}

/// Recursive descent, in contrast to the families' rewriting.
private struct ExpressionParser {
    var tokens: ArraySlice<String>

    mutating func take(_ token: String) -> Bool {
        guard tokens.first == token else { return false }
        tokens.removeFirst()
        return true
    }

    mutating func disjunction() -> Bool {
        var value = conjunction()
        while take("or") { value = conjunction() || value }
        return value
    }

    mutating func conjunction() -> Bool {
        var value = negation()
        while take("and") { value = negation() && value }
        return value
    }

    mutating func negation() -> Bool {
        if take("not") { return !negation() }
        if take("(") {
            defer { tokens.removeFirst() }
            return disjunction()
        }
        return tokens.removeFirst() == "True"
    }

    mutating func sum() -> Int {
        var value = product()
        while true {
            if take("+") { value += product() } else if take("-") { value -= product() } else { return value }
        }
    }

    mutating func product() -> Int {
        var value = factor()
        while take("*") { value *= factor() }
        return value
    }

    mutating func factor() -> Int {
        if take("(") {
            defer { tokens.removeFirst() }
            return sum()
        }
        return Int(tokens.removeFirst()) ?? .min
    }
}

private func count(_ words: [String]) -> String? {
    let classes = [
        "fruits": "apple pear plum banana lemon orange fig melon",
        "tools": "hammer saw drill rake spade chisel axe wrenche wrench",
        "vegetables": "carrot onion leek turnip beet pepper cucumber pumpkin",
        "instruments": "drum flute piano violin trumpet guitar harp horn",
        "animals": "dog cat cow duck goat rabbit frog hen",
    ]
    let numbers = ["a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6]
    guard let many = words.lastIndex(of: "many"), let members = classes[words[many + 1]]?.split(separator: " ") else {
        return nil
    }
    var total = 0
    for (number, thing) in zip(words, words.dropFirst()) {
        guard let number = numbers[number] else { continue }
        if members.contains(where: { thing == $0 || thing == "\($0)s" }) { total += number }
    }
    return String(total)
}

private func track(_ words: [String]) -> String? {
    var held: [String: String] = [:]
    for index in words.indices {
        if words[index] == "has" { held[words[index - 1]] = words[index + 2] }
        if words[index] == "swap" {
            let (a, b) = (words[index - 3], words[index - 1])
            (held[a], held[b]) = (held[b], held[a])
        }
    }
    return words.firstIndex(of: "does").flatMap { held[words[$0 + 1]] }
}

private func lies(_ words: [String]) -> String {
    // An even number of lies along the chain is the truth.
    words.count { $0 == "lies" } % 2 == 0 ? "Yes" : "No"
}

private func walk(_ words: [String]) -> String {
    var position = (x: 0, y: 0)
    var heading = (x: 0, y: 1)
    let forward = words.first == "Always"
    for (index, word) in words.enumerated() {
        switch word {
        case "Turn":
            switch words[index + 1] {
            case "left": heading = (-heading.y, heading.x)
            case "right": heading = (heading.y, -heading.x)
            default: heading = (-heading.x, -heading.y)
            }
        case "Take":
            let steps = Int(words[index + 1]) ?? 0
            let step =
                forward
                ? ["forward": (0, 1), "backward": (0, -1), "left": (-1, 0)][words[index + 3]] ?? (1, 0) : heading
            position = (position.x + steps * step.0, position.y + steps * step.1)
        default: break
        }
    }
    return position == (0, 0) ? "Yes" : "No"
}

private func close(_ symbols: [String]) -> String {
    var text = symbols.joined()
    while let pair = ["[]", "()", "{}", "<>"].compactMap({ text.firstRange(of: $0) }).first {
        text.removeSubrange(pair)
    }
    let closing: [Character: String] = ["[": "]", "(": ")", "{": "}", "<": ">"]
    return text.reversed().compactMap { closing[$0] }.joined(separator: " ")
}

private func deduce(_ words: [String]) -> String? {
    let greater: Set = ["older", "taller", "faster", "oldest", "tallest", "fastest"]
    var pairs: [(String, String)] = []
    for (index, word) in words.enumerated() where word == "than" {
        let (a, b) = (words[index - 3], words[index + 1])
        pairs.append(greater.contains(words[index - 1]) ? (a, b) : (b, a))
    }
    let people = Set(pairs.flatMap { [$0.0, $0.1] })
    // Each person's rank is the number of those reached upwards.
    func above(_ person: String) -> Set<String> {
        var reached: Set<String> = []
        var open = [person]
        while let next = open.popLast() {
            for pair in pairs where pair.1 == next && reached.insert(pair.0).inserted { open.append(pair.0) }
        }
        return reached
    }
    guard let end = words.firstIndex(of: "Options") else { return nil }
    let rank = ["second": 1, "third": 2, "fourth": 3][words[end - 2]] ?? 0
    let wanted = greater.contains(words[end - 1]) ? rank : people.count - 1 - rank
    return people.first { above($0).count == wanted }
}

/// Every day from four years before a year to four years after, in order.
private func days(around year: Int) -> [(year: Int, month: Int, day: Int)] {
    (year - 4...year + 4).flatMap { year in
        (1...12).flatMap { month in
            let february = year % 4 == 0 && year % 100 != 0 || year % 400 == 0 ? 29 : 28
            let length = month == 2 ? february : [4, 6, 9, 11].contains(month) ? 30 : 31
            return (1...length).map { (year, month, $0) }
        }
    }
}

private func date(_ question: String) -> String? {
    let words = question.split { " ?.\n/".contains($0) }.map(String.init)
    let offset = ["Yesterday": 1, "Tomorrow": -1][words[0]] ?? 0
    guard let month = Int(words[2]), let day = Int(words[3]), let year = Int(words[4]),
        let asked = words.firstIndex(of: "date")
    else { return nil }
    let dates = days(around: year)
    guard let given = dates.firstIndex(where: { $0 == (year, month, day) }) else { return nil }
    let today = given + offset
    let now = dates[today]
    var target: (year: Int, month: Int, day: Int)?
    func at(_ days: Int) -> (year: Int, month: Int, day: Int) { dates[today + days] }
    if words[asked + 1] == "tomorrow" {
        target = at(1)
    } else if words[asked + 1] == "yesterday" {
        target = at(-1)
    } else if let count = Int(words[asked + 1]) {
        let sign = words[asked + 3] == "ago" ? -1 : 1
        switch words[asked + 2].prefix(3) {
        case "day": target = at(sign * count)
        case "wee": target = at(sign * count * 7)
        default:
            let months = sign * count * (words[asked + 2].hasPrefix("year") ? 12 : 1)
            let index = now.year * 12 + now.month + months
            target = dates.last { $0.year * 12 + $0.month == index && $0.day <= now.day }
        }
    }
    guard let target else { return nil }
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(target.month))/\(two(target.day))/\(target.year)"
}

private func freeTime(_ words: [String]) -> String? {
    func hour(_ word: String) -> Int {
        let number = (Int(word.dropLast(2)) ?? 0) % 12
        return word.hasSuffix("pm") ? number + 12 : number
    }
    guard let up = words.firstIndex(of: "up"), let end = words.firstIndex(of: "When") else { return nil }
    var free = Set(hour(words[up + 2])..<hour(words[up + 4]))
    for index in words[..<end].indices where words[index] == "From" {
        free.subtract(hour(words[index + 1])..<hour(words[index + 3]))
    }
    func clock(_ hour: Int) -> String { "\((hour + 11) % 12 + 1)\(hour < 12 ? "am" : "pm")" }
    guard let first = free.min(), let last = free.max(), free.count == last - first + 1 else { return nil }
    return "\(clock(first)) to \(clock(last + 1))"
}

private func table(_ question: String) -> String? {
    let lines = question.split(separator: "\n").map(String.init)
    let columns = lines[0].split(separator: ", ").map(String.init)
    var rows = lines.dropFirst().prefix { $0.contains(", ") && !$0.hasPrefix("Add") }.map {
        $0.split(separator: ", ").map(String.init)
    }
    guard let query = lines.last(where: { $0.hasSuffix("?") }) else { return nil }
    if query.hasPrefix("Add ") {
        rows.append(query.dropFirst(4).prefix { $0 != "." }.split(separator: ", ").map(String.init))
    } else if query.hasPrefix("Remove ") {
        let name = query.dropFirst(7).prefix { $0 != "." }
        rows.removeAll { $0[0] == name }
    }
    let column = ["old": "age", "you": "age", "tal": "height", "sho": "height", "hea": "weight", "lig": "weight"]
    let words = query.split { " ?".contains($0) }.map(String.init)
    let isCount = words.contains("than")
    let adjective = isCount ? words[words.count - 3] : words[words.count - 1]
    let isGreater = ["old", "tal", "hea"].contains(String(adjective.prefix(3)))
    guard let index = columns.firstIndex(of: column[String(adjective.prefix(3))] ?? "") else { return nil }
    let values = rows.map { Int($0[index]) ?? 0 }
    if isCount {
        let bound = Int(words[words.count - 1]) ?? 0
        return String(values.count { isGreater ? $0 > bound : $0 < bound })
    }
    guard let extreme = isGreater ? values.max() : values.min() else { return nil }
    return rows.first { Int($0[index]) == extreme }?[0]
}
