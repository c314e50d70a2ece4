/// The tokens of a text, grouped into units. Every group has a token, and a token without a place in the text is a
/// group of its own.
struct TokenUnits {
    /// The first token of each group, and the number of tokens at the end.
    let starts: [Int]
    private let ids: [Int32]

    /// A token belongs to the unit that holds its last byte. O(text + tokens log units).
    init(_ text: TokenizedText, _ granularity: Granularity) {
        ids = text.ids
        guard granularity != .tokens else {
            starts = Array(0...text.ids.count)
            return
        }
        let units = granularity == .words ? TextUnits.words(of: text.text) : TextUnits.steps(of: text.text)
        var starts: [Int] = []
        var last: Int?
        for (token, span) in text.spans.enumerated() {
            let unit = span.isEmpty ? nil : units.unit(ofByte: span.upperBound - 1)
            if unit == nil || unit != last { starts.append(token) }
            last = unit
        }
        self.starts = starts + [text.ids.count]
    }

    var count: Int { starts.count - 1 }

    /// The tokens of a group.
    subscript(group: Int) -> ArraySlice<Int32> { ids[starts[group]..<starts[group + 1]] }

    /// The tokens of a range of groups.
    func tokens(of groups: Range<Int>) -> Range<Int> { starts[groups.lowerBound]..<starts[groups.upperBound] }

    /// For each place between two tokens, the two ends included, whether a group begins or ends there.
    var boundaries: [Bool] {
        var boundaries = [Bool](repeating: false, count: ids.count + 1)
        for start in starts { boundaries[start] = true }
        return boundaries
    }

    /// Numbers for the groups of both sides, equal where the groups' tokens are.
    ///
    /// The numbers are in the order of the groups' tokens, so that they do not depend on which side comes first.
    static func numbers(_ a: TokenUnits, _ b: TokenUnits) -> (a: [Int32], b: [Int32]) {
        var distinct = Set((0..<a.count).map { Array(a[$0]) })
        distinct.formUnion((0..<b.count).map { Array(b[$0]) })
        var numbers: [[Int32]: Int32] = [:]
        for (number, group) in distinct.sorted(by: { $0.lexicographicallyPrecedes($1) }).enumerated() {
            numbers[group] = Int32(number)
        }
        return ((0..<a.count).map { numbers[Array(a[$0])]! }, (0..<b.count).map { numbers[Array(b[$0])]! })
    }
}
