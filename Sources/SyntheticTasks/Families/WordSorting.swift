import Reasoning

/// Alphabetical order: `Sort the words: pear apple fig`, answer `apple fig pear`.
///
/// Solved by naming for each word the shortest beginning that no other word has, and sorting those.
public struct WordSorting: TaskFamily {
    public init() {}

    public struct Problem: Sendable, Equatable {
        var words: [String]
    }

    public var name: String { "word_sorting" }
    public var summary: String { "Sort words alphabetically." }

    private static let opening = "Sort the words:"

    private static let words = [
        "acorn", "anchor", "apron", "atlas", "bacon", "barrel", "basket", "beacon", "bottle", "cabin", "candle",
        "carpet",
        "castle", "copper", "dagger", "desert", "dinner", "donkey", "eagle", "elbow", "engine", "fabric", "falcon",
        "feather", "forest", "garden", "ginger", "goblet", "hammer", "harbour", "helmet", "honey", "igloo", "island",
        "ivory", "jacket", "jigsaw", "jungle", "kettle", "kitten", "ladder", "lantern", "lemon", "magnet", "meadow",
        "mirror", "motor", "napkin", "needle", "nickel", "oasis", "olive", "orchid", "otter", "paddle", "pepper",
        "pillow", "pocket", "quarry", "quiver", "rabbit", "ribbon", "river", "rocket", "saddle", "silver", "socket",
        "summer", "tablet", "temple", "timber", "tunnel", "umber", "uncle", "valley", "velvet", "violin", "wagon",
        "walnut", "willow", "window", "yard", "yellow", "zebra", "zenith",
    ]

    public func generate(level: Int, using generator: inout SeededGenerator) -> Problem {
        let length = generator.integer(in: [3...3, 4...4, 5...6, 8...10][level - 1])
        var words = generator.shuffled(Self.words)
        if level <= 2 {
            var initials: Set<Character> = []
            words = words.filter { initials.insert($0.first ?? " ").inserted }
        } else {
            // Enough words with one initial that later letters matter.
            let shared = words[0].prefix(1)
            words = words.filter { $0.hasPrefix(shared) }.prefix(2) + words.filter { !$0.hasPrefix(shared) }
        }
        return Problem(words: generator.shuffled(Array(words.prefix(length))))
    }

    public func question(for problem: Problem) -> String {
        "\(Self.opening) \(problem.words.joined(separator: " "))"
    }

    public func problem(from question: String) -> Problem? {
        var scanner = TextScanner(question)
        guard scanner.accept(Self.opening) else { return nil }
        var words: [String] = []
        while let word = scanner.word() { words.append(word) }
        return scanner.isAtEnd && words.count > 1 ? Problem(words: words) : nil
    }

    public func solve(_ problem: Problem, on pad: inout Scratchpad) -> String? {
        let words = problem.words
        pad.write(pad.phrase("opening", ["First letters: ", "The words begin: ", "Beginnings: "]))
        var keys: [String] = []
        for (index, word) in words.enumerated() {
            let right = beginning(of: word, among: words)
            pad.write(index == 0 ? "" : ", ")
            let misread = String(right.dropLast()) + String(word.dropFirst(right.count).prefix(1))
            keys.append(
                pad.decide(right, or: misread.isEmpty || keys.contains(misread) ? [] : [.mistake(.logical, misread)]) {
                    $0.write("\(word) \($1)")
                })
        }
        pad.write(". ")
        let right = order(of: keys)
        let order = pad.decide(right, or: neighboursExchanged(in: right)) { pad, order in
            pad.write(pad.phrase("order", ["In order: ", "Sorted: "]))
            pad.write(order.map { keys[$0] }.joined(separator: ", "))
        }
        pad.write(".")
        return order.map { words[$0] }.joined(separator: " ")
    }

    /// The shortest beginning that no other word of the list has; the whole word if there is none.
    private func beginning(of word: String, among words: [String]) -> String {
        for length in 1..<max(word.count, 2) {
            let prefix = word.prefix(length)
            if words.count(where: { $0.hasPrefix(prefix) }) == 1 { return String(prefix) }
        }
        return word
    }

    /// Numbers of the keys in alphabetical order, equal keys in the order given.
    private func order(of keys: [String]) -> [Int] {
        keys.indices.sorted { a, b in
            keys[a].utf8.elementsEqual(keys[b].utf8)
                ? a < b : keys[a].lowercased().utf8.lexicographicallyPrecedes(keys[b].lowercased().utf8)
        }
    }

    private func neighboursExchanged(in order: [Int]) -> [MistakenValue<[Int]>] {
        order.indices.dropLast().map { index in
            var mistaken = order
            mistaken.swapAt(index, index + 1)
            return .mistake(.knowledge, mistaken)
        }
    }
}
