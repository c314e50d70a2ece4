import TestData
import Testing

@Suite struct UnicodeTableTests {
    @Test(.enabled(if: UnicodeTables.isAvailable, "needs a standard library with Unicode 17"))
    func theTablesAreThoseOfTheStandardLibrary() throws {
        let sources =
            #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
            + "/Sources/Tokenization/Unicode"
        for (file, expected) in [
            ("CharacterClasses+Ranges.swift", UnicodeTables.characterRanges),
            ("CanonicalComposition+Tables.swift", UnicodeTables.compositionTables),
        ] {
            let found = try SharedData.contents("\(sources)/\(file)")
            #expect(found.elementsEqual(expected.utf8), "\(file) should be:\n\(expected)")
        }
    }
}
