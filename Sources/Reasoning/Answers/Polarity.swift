/// A pair of words that exclude each other.
struct Polarity: Hashable {
    let words: [String]
    /// The gold answer is written with a capital.
    let isCapitalised: Bool

    private static let pairs = [
        ["yes", "no"], ["true", "false"], ["valid", "invalid"], ["plausible", "implausible"], ["correct", "incorrect"],
    ]

    /// The pair a gold answer belongs to.
    static func of(_ gold: ArraySlice<UInt8>) -> Polarity? {
        let text = String(decoding: gold, as: UTF8.self)
        guard let words = pairs.first(where: { $0.contains(text.lowercased()) }) else { return nil }
        return Polarity(words: words, isCapitalised: gold.first.map { 0x41...0x5A ~= $0 } ?? false)
    }

    /// The word that begins the text, in the gold answer's case; nil when it begins otherwise or names both.
    func read(_ text: ArraySlice<UInt8>) -> String? {
        let tokens = String(decoding: text, as: UTF8.self).lowercased().split { !$0.isLetter }.prefix(4).map(
            String.init)
        guard let first = tokens.first else { return nil }
        let rest = tokens.dropFirst()
        var word = first
        if first == "not", let negated = rest.first, let index = words.firstIndex(of: negated) {
            // "not valid" says invalid; "not yes" says nothing.
            guard words[1].hasSuffix(words[0]) else { return nil }
            word = words[1 - index]
        } else if let connective = rest.first, connective == "and" || connective == "or",
            let second = rest.dropFirst().first, words.contains(second), second != first
        {
            return nil
        }
        guard words.contains(word) else { return nil }
        return isCapitalised ? word.prefix(1).uppercased() + word.dropFirst() : word
    }
}
