import Reasoning

/// A free time slot: `Ada was at the gym from 7am to 9am. … When could Ada have been at the zoo?`, with options.
///
/// Solved by following the day from one end time to the next start.
public struct TemporalSequences: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var person: String
        var wake: Int
        var sleep: Int
        var visits: [Visit]
        var wanted: String
        var options: [String]
    }

    /// Hours of the day, 0 to 23.
    struct Visit: Sendable, Equatable {
        var place: String
        var start: Int
        var end: Int
    }

    public var name: String { "temporal_sequences" }
    public var summary: String { "Find the time at which something could have happened." }

    private static let places = [
        "gym", "office", "park", "mall", "beach", "museum", "market", "library", "cinema", "bank", "zoo", "cafe",
    ]

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let slots = [3, 4, 5, 7][level - 1]
        let wake = generator.integer(in: 5...8)
        var edges = [wake]
        for left in stride(from: slots, to: 0, by: -1) {
            let latest = min(22 - (left - 1), (edges.last ?? wake) + 4)
            edges.append(generator.integer(in: (edges.last ?? wake) + 1...latest))
        }
        let free = generator.below(slots)
        let places = generator.sample(slots, of: Self.places)
        var visits = (0..<slots).map { Visit(place: places[$0], start: edges[$0], end: edges[$0 + 1]) }
        let wanted = visits.remove(at: free).place
        if level > 2 { visits = generator.shuffled(visits) }
        var problem = Problem(
            person: generator.element(of: Vocabulary.names), wake: wake, sleep: edges[slots], visits: visits,
            wanted: wanted, options: [])
        problem.options = options(for: problem, count: level < 3 ? 3 : 4, using: &generator)
        return problem
    }

    /// The right slot, slots that likely mistakes lead to, and other slots of the day.
    private func options(for problem: Problem, count: Int, using generator: inout SeededGenerator) -> [String] {
        var pad = Scratchpad(wording: Wording(question: ""))
        let right = freeSlot(problem, on: &pad) ?? ""
        var seen: Set<String> = [right]
        var others = generator.shuffled(pad.opportunities).compactMap { slip in
            var pad = Scratchpad(wording: Wording(question: ""), slip: slip)
            return freeSlot(problem, on: &pad)
        }
        others += problem.visits.map { slot($0.start, $0.end) }
        while others.count < 2 * count {
            let start = generator.integer(in: problem.wake...problem.sleep - 1)
            others.append(slot(start, start + generator.integer(in: 1...2)))
        }
        return generator.shuffled([right] + others.filter { seen.insert($0).inserted }.prefix(count - 1))
    }

    public func question(for problem: Problem) -> String {
        let person = problem.person
        let visits = problem.visits.map { " From \(slot($0.start, $0.end)) \(person) was at the \($0.place)." }
        return "\(person) was up from \(slot(problem.wake, problem.sleep)).\(visits.joined())"
            + " When could \(person) have been at the \(problem.wanted)?\n" + AnswerOptions(problem.options).text
    }

    private func slot(_ start: Int, _ end: Int) -> String { "\(clock(start)) to \(clock(end))" }

    private func clock(_ hour: Int) -> String {
        "\(hour % 12 == 0 ? 12 : hour % 12)\(hour % 24 < 12 ? "am" : "pm")"
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        guard let person = scanner.word(), scanner.accept("was up from"), let day = slot(&scanner), scanner.accept(".")
        else { return nil }
        var visits: [Visit] = []
        while scanner.accept("From") {
            guard let slot = slot(&scanner), scanner.accept("\(person) was at the"), let place = scanner.word(),
                scanner.accept("."), day.0 <= slot.0, slot.1 <= day.1
            else { return nil }
            visits.append(Visit(place: place, start: slot.0, end: slot.1))
        }
        guard scanner.accept("When could \(person) have been at the"), let wanted = scanner.word(),
            scanner.accept("?"), let options = AnswerOptions(&scanner)
        else { return nil }
        return Problem(
            person: person, wake: day.0, sleep: day.1, visits: visits, wanted: wanted, options: options.values)
    }

    private func slot(_ scanner: inout TextScanner) -> (Int, Int)? {
        guard let start = hour(&scanner), scanner.accept("to"), let end = hour(&scanner), start < end else {
            return nil
        }
        return (start, end)
    }

    private func hour(_ scanner: inout TextScanner) -> Int? {
        guard let number = scanner.number(), 1...12 ~= number, let half = scanner.accept(anyOf: ["am", "pm"]) else {
            return nil
        }
        return number % 12 + (half == "pm" ? 12 : 0)
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        guard let slot = freeSlot(problem, on: &pad), let letter = AnswerOptions(problem.options).letter(of: slot)
        else { return nil }
        pad.write(" \(pad.phrase("free", ["The free time is", "Free time:"])) \(slot), option \(letter).")
        return letter
    }

    private func freeSlot(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        var time = problem.wake
        while time < problem.sleep {
            pad.write("\(pad.text.isEmpty ? "" : " ")From \(clock(time)):")
            let visit = problem.visits.first { $0.start == time }
            // Overlooking a visit is a mistake; so is seeing one that starts at another time.
            let others = problem.visits.filter { $0.start > time && $0 != visit }.map { Optional($0) }
            let mistaken =
                (visit == nil ? [] : [MistakenValue<Visit?>.mistake(.logical, nil)])
                + others.prefix(2).map { .mistake(.knowledge, $0) }
            let seen = pad.decide(visit, or: mistaken) { $0.write(" \($1?.place ?? "nothing")") }
            let right = seen?.end ?? problem.visits.map(\.start).filter { $0 > time }.min() ?? problem.sleep
            let likely = [right + 1, right - 1].filter { $0 > time && $0 <= problem.sleep }
            let until = pad.decide(right, or: likely.map { .mistake(.calculation, $0) }) {
                $0.write(" until \(clock($1)).")
            }
            guard seen != nil else { return slot(time, until) }
            time = until
        }
        return nil
    }
}
