/// What becomes of the matches when a text is split at them.
enum SplitBehavior: String, CaseIterable, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// The words that the pieces of a text become.
    func words(_ pieces: [(range: Range<Int>, isMatch: Bool)]) -> [Range<Int>] {
        switch self {
        case .isolated: return pieces.map(\.range)
        case .removed: return pieces.filter { !$0.isMatch }.map(\.range)
        case .contiguous:
            var words: [Range<Int>] = []
            for (index, piece) in pieces.enumerated() {
                if index > 0, pieces[index - 1].isMatch == piece.isMatch {
                    words[words.count - 1] = words[words.count - 1].lowerBound..<piece.range.upperBound
                } else {
                    words.append(piece.range)
                }
            }
            return words
        case .mergedWithPrevious:
            var words: [Range<Int>] = []
            for (index, piece) in pieces.enumerated() {
                if piece.isMatch, index > 0, !pieces[index - 1].isMatch {
                    words[words.count - 1] = words[words.count - 1].lowerBound..<piece.range.upperBound
                } else {
                    words.append(piece.range)
                }
            }
            return words
        case .mergedWithNext:
            var words: [Range<Int>] = []
            for (index, piece) in pieces.enumerated().reversed() {
                if piece.isMatch, index + 1 < pieces.count, !pieces[index + 1].isMatch {
                    words[words.count - 1] = piece.range.lowerBound..<words[words.count - 1].upperBound
                } else {
                    words.append(piece.range)
                }
            }
            return words.reversed()
        }
    }
}
