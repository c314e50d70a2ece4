import Reasoning
import Testing

@testable import SyntheticTasks

/// One question of each family at each level for each of some seeds.
struct Sample: CustomTestStringConvertible {
    let family: any TaskFamily
    let level: Int

    var testDescription: String { "\(family.name) level \(level)" }

    static let all = TaskCatalog.families.flatMap { family in (1...4).map { Sample(family: family, level: $0) } }

    func questions(_ count: Int, seed: UInt64 = 3) throws -> [Question] {
        var sequence = QuestionSequence(family: family, level: level, seed: seed)
        return try (0..<count).map { _ in try sequence.next() }
    }
}
