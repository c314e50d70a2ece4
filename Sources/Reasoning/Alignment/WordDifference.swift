/// How much two texts differ, in words separated by white space.
public struct WordDifference: Sendable, Equatable {
    /// The Levenshtein distance in words.
    public let distance: Int
    /// Differing words of both texts as a share of all words of both; 0 for two texts without words.
    public let share: Double

    /// Compares two texts under the ``TokenAlignment/Mode/minimal`` script. Words are equal when their bytes are.
    public init(_ correct: String, _ wrong: String) {
        var numbers: [[UInt8]: Int32] = [:]
        func words(_ text: String) -> [Int32] {
            text.unicodeScalars.split { $0.properties.isWhitespace }.map { word in
                let bytes = Array(String(word).utf8)
                if let number = numbers[bytes] { return number }
                numbers[bytes] = Int32(numbers.count)
                return Int32(numbers.count - 1)
            }
        }
        let alignment = TokenAlignment(correct: words(correct), wrong: words(wrong))
        distance = alignment.distance
        share = alignment.keyShare
    }
}
