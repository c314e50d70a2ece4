import Reasoning

/// What a set of synthetic questions consists of.
///
/// The families take turns, and within a family the levels; so a greater count only adds questions behind the earlier
/// ones, and every family has its share.
public struct QuestionSet: Sendable {
    public var families: [any TaskFamily]
    public var levels: [Int]
    public var seed: UInt64

    /// - Throws: ``QuestionSetError`` that names every unknown family and level, with the nearest valid name.
    public init(families names: [String], levels: [Int], seed: UInt64) throws {
        var problems: [String] = []
        if names.isEmpty { problems.append("no family is named") }
        if levels.isEmpty { problems.append("no level is named") }
        for name in names where TaskCatalog.family(named: name) == nil {
            let nearest = TaskCatalog.names.min { editDistance($0, name) < editDistance($1, name) } ?? ""
            problems.append("there is no family \"\(name)\"; did you mean \"\(nearest)\"?")
        }
        for level in levels where !(1...4 ~= level) {
            problems.append("there is no level \(level); levels are 1 to 4")
        }
        if Set(names).count < names.count { problems.append("a family is named twice") }
        if Set(levels).count < levels.count { problems.append("a level is named twice") }
        guard problems.isEmpty else { throw QuestionSetError(description: problems.joined(separator: "\n")) }
        families = names.compactMap(TaskCatalog.family)
        self.levels = levels
        self.seed = seed
    }

    /// The first `count` questions.
    ///
    /// - Throws: ``QuestionSetError`` when a family has too few different questions at a level.
    /// - Complexity: O(count); about 50 µs a question.
    public func questions(count: Int) throws -> [Question] {
        var sequences = levels.flatMap { level in
            families.map { QuestionSequence(family: $0, level: level, seed: seed) }
        }
        return try (0..<count).map { try sequences[$0 % sequences.count].next() }
    }
}
