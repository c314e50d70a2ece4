import Reasoning

/// Things that change hands: `Ada has the red ball, … Ada and Ben swap. … Which ball does Ada have at the end?`
///
/// Solved with the whole state after each swap.
public struct TrackingShuffledObjects: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var thing: String
        var people: [String]
        /// What each of the people has at first.
        var held: [String]
        var swaps: [Swap]
        var asked: String
        var options: [String]
    }

    struct Swap: Sendable, Equatable {
        var first: String
        var second: String
    }

    public var name: String { "tracking_shuffled_objects" }
    public var summary: String { "Follow things through a series of swaps." }

    private static let things = ["ball", "card", "hat", "cup"]

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let size = [3, 3, 5, 7][level - 1]
        let swaps = [2, 3, 5, 7][level - 1]
        let people = generator.sample(size, of: Vocabulary.names)
        let held = generator.sample(size, of: Vocabulary.colours)
        var sequence: [Swap] = []
        while sequence.count < swaps {
            let pair = generator.sample(2, of: people)
            let repeats = sequence.last.map { Set([$0.first, $0.second]) == Set(pair) } ?? false
            if !repeats { sequence.append(Swap(first: pair[0], second: pair[1])) }
        }
        return Problem(
            thing: generator.element(of: Self.things), people: people, held: held, swaps: sequence,
            asked: generator.element(of: people), options: generator.shuffled(held))
    }

    public func question(for problem: Problem) -> String {
        let start = zip(problem.people, problem.held).map { "\($0) has the \($1) \(problem.thing)" }
        let swaps = problem.swaps.map { " \($0.first) and \($0.second) swap." }.joined()
        return "\(listed(start)).\(swaps) Which \(problem.thing) does \(problem.asked) have at the end?\n"
            + AnswerOptions(problem.options).text
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        var (people, held): ([String], [String]) = ([], [])
        var thing: String?
        repeat {
            _ = scanner.accept("and")
            guard let person = scanner.word(), scanner.accept("has the"), let colour = scanner.word(),
                let noun = scanner.word(), noun == thing ?? noun, !people.contains(person)
            else { return nil }
            thing = noun
            people.append(person)
            held.append(colour)
        } while scanner.accept(",") || scanner.accept("and")
        guard scanner.accept("."), let thing else { return nil }
        var swaps: [Swap] = []
        while !scanner.accept("Which \(thing) does") {
            guard let first = scanner.word(), scanner.accept("and"), let second = scanner.word(),
                scanner.accept("swap."), people.contains(first), people.contains(second), first != second
            else { return nil }
            swaps.append(Swap(first: first, second: second))
        }
        guard let asked = scanner.word(), people.contains(asked), scanner.accept("have at the end?"),
            let options = AnswerOptions(&scanner)
        else { return nil }
        return Problem(
            thing: thing, people: people, held: held, swaps: swaps, asked: asked, options: options.values)
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        var state = problem.held
        pad.write(pad.phrase("opening", ["At first: ", "Start: ", "In the beginning: "]))
        pad.write(describe(state, of: problem.people) + ".")
        let after = pad.phrase("after", [" swap: ", " swap, so now "])
        for swap in problem.swaps {
            pad.write(" \(swap.first) and \(swap.second)\(after)")
            let outcomes = mistakenOutcomes(of: swap, in: state, problem.people)
            state = pad.decide(swapped(swap, in: state, problem.people), or: outcomes) {
                $0.write(describe($1, of: problem.people))
            }
            pad.write(".")
        }
        let right = state[problem.people.firstIndex(of: problem.asked) ?? 0]
        let others = state.filter { $0 != right }.map { MistakenValue.mistake(.logical, $0, isLastResort: true) }
        pad.write(" ")
        let final = pad.decide(right, or: others) { $0.write("\(problem.asked) has the \($1) \(problem.thing)") }
        guard let letter = AnswerOptions(problem.options).letter(of: final) else { return nil }
        pad.write(", option \(letter).")
        return letter
    }

    private func describe(_ state: [String], of people: [String]) -> String {
        zip(people, state).map { "\($0) \($1)" }.joined(separator: ", ")
    }

    private func swapped(_ swap: Swap, in state: [String], _ people: [String]) -> [String] {
        var state = state
        if let a = people.firstIndex(of: swap.first), let b = people.firstIndex(of: swap.second) {
            state.swapAt(a, b)
        }
        return state
    }

    /// The swap forgotten, and the swap made with somebody else.
    private func mistakenOutcomes(
        of swap: Swap, in state: [String], _ people: [String]
    ) -> [MistakenValue<[String]>] {
        let bystanders = people.filter { $0 != swap.first && $0 != swap.second }
        let confused = bystanders.flatMap {
            [Swap(first: swap.first, second: $0), Swap(first: swap.second, second: $0)]
        }
        return [.mistake(.logical, state)]
            + confused.map { .mistake(.calculation, swapped($0, in: state, people)) }
    }
}
