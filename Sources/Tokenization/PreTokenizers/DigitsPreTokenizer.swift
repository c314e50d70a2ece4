/// Sets digits apart from the rest: each alone, or runs of them. Digits are the numbers of Unicode 17.
struct DigitsPreTokenizer: PreTokenizer {
    private let isIndividual: Bool

    init(isIndividual: Bool) { self.isIndividual = isIndividual }

    init(_ reader: ComponentReader) throws(TokenizerError) { isIndividual = try reader.bool("individual_digits") }

    func apply(to text: inout PreTokenizedText) {
        text.split { reader, word, parts in
            var (start, offset) = (word.lowerBound, word.lowerBound)
            var isInDigits = false
            while offset < word.upperBound {
                let (classes, end) = reader.classes(at: offset)
                let isDigit = classes & CharacterClasses.numeric != 0
                if offset > start, isDigit != isInDigits || (isDigit && isIndividual) {
                    parts.append(start..<offset)
                    start = offset
                }
                (isInDigits, offset) = (isDigit, end)
            }
            if start < word.upperBound { parts.append(start..<word.upperBound) }
        }
    }
}
