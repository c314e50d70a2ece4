/// A set of characters in a regular expression, such as `[^\r\n\p{L}]`.
struct RegexSet: Sendable {
    indirect enum Item: Sendable {
        case range(UInt32, UInt32)
        case property(RegexProperty, isNegated: Bool)
        case set(RegexSet)
    }

    var items: [Item] = []
    var isNegated = false
    /// A character is a member when one of its case variants is.
    var ignoresCase = false
    /// The members below U+0080.
    private var ascii: [Bool] = []

    init(_ items: [Item], isNegated: Bool = false, ignoresCase: Bool = false) {
        (self.items, self.isNegated, self.ignoresCase) = (items, isNegated, ignoresCase)
        ascii = (UInt32(0)..<0x80).map(decide)
    }

    @inline(__always)
    func contains(_ value: UInt32) -> Bool { value < 0x80 ? ascii[Int(value)] : decide(value) }

    private func decide(_ value: UInt32) -> Bool {
        if ignoresCase { return variants(of: value).contains(where: listed) != isNegated }
        return listed(value) != isNegated
    }

    private func listed(_ value: UInt32) -> Bool {
        items.contains { item in
            switch item {
            case .range(let first, let last): first <= value && value <= last
            case .property(let property, let isNegated): property.contains(value) != isNegated
            case .set(let set): set.contains(value)
            }
        }
    }

    private func variants(of value: UInt32) -> [UInt32] {
        guard let scalar = Unicode.Scalar(value) else { return [value] }
        func single(_ text: String) -> Unicode.Scalar? {
            text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
        }
        let upper = single(scalar.properties.uppercaseMapping)
        let lower = upper.flatMap { single($0.properties.lowercaseMapping) }
        // The long s, the Kelvin sign and the Ångström sign are nobody's upper or lower case.
        let others: [Unicode.Scalar: UInt32] = ["s": 0x17F, "k": 0x212A, "\u{E5}": 0x212B]
        let known = [single(scalar.properties.lowercaseMapping), upper, lower].compactMap { $0?.value }
        return [value] + known + (lower.flatMap { others[$0] }.map { [$0] } ?? [])
    }
}

/// A class of characters that Unicode defines, in Unicode 16.
enum RegexProperty: Sendable, Hashable {
    case categories(Set<String>)
    case space, word, digit, hexadecimal

    private static let names: Set<String> = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm",
        "Sc", "Sk", "So", "Zs", "Zl", "Zp",
    ]

    /// The class that `\p{name}` stands for; nil when it is not known.
    init?(name: String) {
        let long = [
            "Letter": "L", "Alphabetic": "", "Number": "N", "Punctuation": "P", "Mark": "M", "Symbol": "S",
            "Separator": "Z",
        ]
        let name = long[name] ?? name
        let members = RegexProperty.names.filter { $0 == name || (name.utf8.count == 1 && $0.hasPrefix(name)) }
        guard !members.isEmpty else { return nil }
        self = .categories(members)
    }

    func contains(_ value: UInt32) -> Bool {
        let classes = CharacterClasses.table[Int(value)]
        switch self {
        case .space: return classes & CharacterClasses.space != 0
        case .hexadecimal: return Unicode.Scalar(value)?.properties.isASCIIHexDigit ?? false
        case .digit: return category(value) == "Nd"
        case .word:
            // Latin-1's superscript digits and fractions count, as in Oniguruma.
            if [0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE].contains(value) { return true }
            guard let category = category(value) else { return false }
            return ["Mn", "Mc", "Me", "Nd", "Pc"].contains(category) || Unicode.Scalar(value)!.properties.isAlphabetic
        case .categories(let names): return category(value).map(names.contains) ?? false
        }
    }

    private func category(_ value: UInt32) -> String? {
        guard let properties = Unicode.Scalar(value)?.properties, properties.age?.major ?? .max <= 16 else {
            return nil
        }
        return switch properties.generalCategory {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        default: nil
        }
    }
}
