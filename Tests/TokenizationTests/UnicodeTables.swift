@_spi(_Unicode) import Swift

/// Writes the Unicode tables of the library, from the properties of a standard library that knows Unicode 17.
enum UnicodeTables {
    static var isAvailable: Bool { Unicode.Scalar(0x11DE0)!.properties.generalCategory == .decimalNumber }

    /// Unicode/CharacterClasses+Ranges.swift.
    static var characterRanges: String {
        var file = header + "extension CharacterClasses {\n"
        file += table(
            "letters", "First and last scalar of each range of \\p{L} in Unicode 16.",
            ranges { isLetter($0) && version($0) <= 16 })
        file += "\n"
        file += table(
            "numbers", "First and last scalar of each range of \\p{N} in Unicode 16.",
            ranges { isNumber($0) && version($0) <= 16 })
        file += "\n"
        file += table(
            "newNumbers", "First and last scalar of each range that Unicode 17 adds to \\p{N}.",
            ranges { isNumber($0) && version($0) > 16 })
        return file + "}\n"
    }

    /// Unicode/CanonicalComposition+Tables.swift.
    static var compositionTables: String {
        var decompositions: [UInt32] = []
        var classes: [UInt32] = []
        for scalar in scalars where version(scalar.properties) <= 9 {
            let parts = Array(String(scalar)._nfd)
            if !(0xAC00...0xD7A3 ~= scalar.value), parts != [scalar] {
                // A lone character that NFC changes is excluded from composition.
                let isExcluded = Array(String(scalar)._nfc) != [scalar]
                decompositions += [scalar.value, UInt32(parts.count) << 1 | (isExcluded ? 1 : 0)] + parts.map(\.value)
            }
            let combiningClass = UInt32(scalar.properties.canonicalCombiningClass.rawValue)
            guard combiningClass != 0 else { continue }
            if classes.count >= 3, classes[classes.count - 2] + 1 == scalar.value, classes.last == combiningClass {
                classes[classes.count - 2] = scalar.value
            } else {
                classes += [scalar.value, scalar.value, combiningClass]
            }
        }
        var file = header + "extension CanonicalComposition {\n"
        file += table(
            "decompositions",
            "A scalar, twice the length of its full canonical decomposition (odd when it is never composed again),\n"
                + "    /// and the decomposition; Unicode 9, Hangul syllables left out.", decompositions)
        file += "\n"
        file += table(
            "combiningClasses",
            "First and last scalar of ranges with a canonical combining class, and the class; Unicode 9.",
            classes)
        return file + "}\n"
    }

    private static let header = """
        // Generated from the standard library's Unicode properties by UnicodeTables in Tests/TokenizationTests.


        """

    private static var scalars: some Sequence<Unicode.Scalar> {
        (UInt32(0)..<0x110000).lazy.compactMap { Unicode.Scalar($0) }
    }

    private static func version(_ properties: Unicode.Scalar.Properties) -> Int { properties.age?.major ?? .max }

    private static func ranges(_ isMember: (Unicode.Scalar.Properties) -> Bool) -> [UInt32] {
        var ranges: [UInt32] = []
        for scalar in scalars where isMember(scalar.properties) {
            if let last = ranges.last, last + 1 == scalar.value {
                ranges[ranges.count - 1] = scalar.value
            } else {
                ranges += [scalar.value, scalar.value]
            }
        }
        return ranges
    }

    private static func table(_ name: String, _ comment: String, _ numbers: [UInt32]) -> String {
        var text = "    /// \(comment)\n    static let \(name): [UInt32] = [\n"
        var line = "       "
        for number in numbers {
            let entry = " 0x\(String(number, radix: 16, uppercase: true)),"
            if line.utf8.count + entry.utf8.count > 118 {
                text += line + "\n"
                line = "       "
            }
            line += entry
        }
        return text + line + "\n    ]\n"
    }

    private static func isLetter(_ properties: Unicode.Scalar.Properties) -> Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    private static func isNumber(_ properties: Unicode.Scalar.Properties) -> Bool {
        switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }
}
