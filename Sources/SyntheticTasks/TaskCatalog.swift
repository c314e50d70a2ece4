/// The families that ship, by name.
public enum TaskCatalog {
    /// In the order of their names' bytes.
    public static let families: [any TaskFamily] = [
        AnimalsInATable(), BooleanExpressions(), DateUnderstanding(), DyckLanguages(), LogicalDeduction(),
        MultistepArithmetic(), Navigate(), ObjectCounting(), TemporalSequences(), TrackingShuffledObjects(),
        WebOfLies(), WordSorting(),
    ]

    public static var names: [String] { families.map(\.name) }

    public static func family(named name: String) -> (any TaskFamily)? {
        families.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The text as a question of the first family that understands it; nil when none does. O(length) for each family.
    public static func read(_ question: String) -> (any QuestionReading)? {
        func reading(_ family: some TaskFamily) -> (any QuestionReading)? { FamilyReading(question, by: family) }
        for family in families {
            if let reading = reading(family) { return reading }
        }
        return nil
    }
}
