/// A part of a regular expression.
indirect enum RegexNode: Sendable {
    case set(RegexSet)
    case sequence([RegexNode])
    case alternatives([RegexNode])
    /// `least` to `most` times; as often as possible, or as rarely.
    case repetition(RegexNode, least: Int, most: Int?, isGreedy: Bool)
    /// Matches as it would alone, and then never otherwise.
    case atomic(RegexNode)
    /// A character of a set stands next to here, or does not; nothing is taken.
    case look(RegexSet, isBehind: Bool, isNegated: Bool)
    case lineStart, lineEnd, textStart, textEnd
}
