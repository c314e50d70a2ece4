import Reasoning

/// Counting the things of one class: `I have two apples, a drum and three pears. How many fruits do I have?`
///
/// Solved with a running total.
public struct ObjectCounting: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var items: [Item]
        var category: String
    }

    struct Item: Sendable, Equatable {
        var count: Int
        /// In the plural.
        var thing: String
    }

    public var name: String { "object_counting" }
    public var summary: String { "Count the things that belong to one class." }

    /// Class, things in the plural. The singular drops the last letter.
    private static let classes: [(name: String, things: [String])] = [
        ("fruits", ["apples", "pears", "plums", "bananas", "lemons", "oranges", "figs", "melons"]),
        ("vegetables", ["carrots", "onions", "leeks", "turnips", "beets", "peppers", "cucumbers", "pumpkins"]),
        ("instruments", ["drums", "flutes", "pianos", "violins", "trumpets", "guitars", "harps", "horns"]),
        ("animals", ["dogs", "cats", "cows", "ducks", "goats", "rabbits", "frogs", "hens"]),
        ("tools", ["hammers", "saws", "drills", "rakes", "spades", "chisels", "axes", "wrenches"]),
    ]
    /// Singulars that dropping the last letter does not give.
    private static let singulars = ["axes": "axe", "wrenches": "wrench"]

    private func singular(_ thing: String) -> String { Self.singulars[thing] ?? String(thing.dropLast()) }

    private func category(of thing: String) -> String? {
        Self.classes.first { $0.things.contains(thing) }?.name
    }

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let lengths = [3...4, 5...5, 6...8, 9...11]
        let greatest = [4, 4, 5, 6][level - 1]
        let length = generator.integer(in: lengths[level - 1])
        let pair = generator.sample(2, of: Self.classes)
        let wanted = generator.integer(in: (length + 1) / 2...min(length - 1, pair[0].things.count))
        let things =
            generator.sample(wanted, of: pair[0].things)
            + generator.sample(min(length - wanted, pair[1].things.count), of: pair[1].things)
        let items = generator.shuffled(things).map { Item(count: generator.integer(in: 1...greatest), thing: $0) }
        return Problem(items: items, category: pair[0].name)
    }

    public func question(for problem: Problem) -> String {
        "I have \(listed(problem.items.map(phrase))). How many \(problem.category) do I have?"
    }

    private func phrase(_ item: Item) -> String {
        guard item.count == 1 else {
            return
                "\(item.count < Vocabulary.numbers.count ? Vocabulary.numbers[item.count] : String(item.count)) \(item.thing)"
        }
        let one = singular(item.thing)
        return "aeiou".contains(one.prefix(1)) ? "an \(one)" : "a \(one)"
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        guard scanner.accept("I have") else { return nil }
        var items: [Item] = []
        repeat {
            _ = scanner.accept("and")
            guard let count = count(&scanner), let word = scanner.word(), let thing = thing(word) else { return nil }
            items.append(Item(count: count, thing: thing))
        } while scanner.accept(",") || scanner.accept("and")
        guard scanner.accept("."), scanner.accept("How many"), let category = scanner.word(),
            Self.classes.contains(where: { $0.name == category }), scanner.accept("do I have?"), scanner.isAtEnd
        else { return nil }
        return Problem(items: items, category: category)
    }

    private func count(_ scanner: inout TextScanner) -> Int? {
        if let number = scanner.number() { return number }
        guard let word = scanner.word() else { return nil }
        return word == "a" || word == "an" ? 1 : Vocabulary.numbers.firstIndex(of: word)
    }

    private func thing(_ word: String) -> String? {
        for group in Self.classes {
            if let thing = group.things.first(where: { $0 == word || singular($0) == word }) { return thing }
        }
        return nil
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        pad.write(pad.phrase("opening", ["Count the \(problem.category).", "Start from 0.", "Go through the list."]))
        let no = pad.phrase("no", ["no \(problem.category)", "not \(problem.category)"])
        var total = 0
        for item in problem.items {
            pad.write(" \(phrase(item)): ")
            let belongs = category(of: item.thing) == problem.category
            // The sum and "no fruits" are two ways to go on; which one is taken is what the reasoner knows of the world.
            let misread = item.count == 1 ? 2 : item.count - 1
            let right = belongs ? Reading.counts(item.count) : .belongsElsewhere
            let mistaken: [MistakenValue<Reading>] =
                belongs
                ? [.mistake(.knowledge, .belongsElsewhere), .mistake(.logical, .counts(misread))]
                : [.mistake(.knowledge, .counts(item.count))]
            let reading = pad.decide(right, or: mistaken) { pad, reading in
                switch reading {
                case .counts(let count): pad.write("\(total) + \(count)")
                case .belongsElsewhere: pad.write(no)
                }
            }
            if case .counts(let count) = reading {
                let sum = total + count
                total = pad.decide(sum, or: [.mistake(.calculation, sum + 1), .mistake(.calculation, sum - 1)]) {
                    $0.write(" = \($1)")
                }
            }
            pad.write(".")
        }
        return String(total)
    }

    /// What the reasoner makes of one item.
    private enum Reading: Equatable {
        case counts(Int)
        case belongsElsewhere
    }
}
