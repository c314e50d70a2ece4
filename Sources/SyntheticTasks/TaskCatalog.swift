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
}
