/// Words that several families share.
enum Vocabulary {
    static let names = [
        "Ada", "Ben", "Cora", "Dan", "Eva", "Finn", "Gus", "Hal", "Ida", "Jon", "Kim", "Leo", "Mia", "Ned", "Ola",
        "Pia",
    ]

    static let colours = ["red", "blue", "green", "white", "black", "brown", "pink", "gold", "grey", "purple"]

    /// Number words; `numbers[n]` is n.
    static let numbers = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    ]
}

/// Joins with commas and a last "and": `a, b and c`.
func listed(_ items: [String]) -> String {
    guard let last = items.last, items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + last
}

/// The text with its first ASCII letter in upper case.
func capitalised(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst()
}
