/// Canonical decomposition and composition of Unicode 9, the version that Hugging Face's tokenizers normalise with.
///
/// Source: Unicode Standard Annex #15; Hangul by arithmetic as in chapter 3.12 of the standard.
struct CanonicalComposition: Sendable {
    static let shared = CanonicalComposition()

    private var decomposed: [UInt32: [UInt32]] = [:]
    private var composed: [UInt64: UInt32] = [:]
    private var classes: [UInt32: UInt8] = [:]
    /// Scalars that may change or be changed by what stands before them.
    private var unstable: Set<UInt32> = []

    private init() {
        let numbers = CanonicalComposition.combiningClasses
        for index in stride(from: 0, to: numbers.count, by: 3) {
            for value in numbers[index]...numbers[index + 1] {
                classes[value] = UInt8(numbers[index + 2])
                unstable.insert(value)
            }
        }
        let table = CanonicalComposition.decompositions
        var byDecomposition: [[UInt32]: UInt32] = [:]
        var composable: [(scalar: UInt32, parts: [UInt32])] = []
        var index = 0
        while index < table.count {
            let (scalar, count, isExcluded) = (table[index], Int(table[index + 1] >> 1), table[index + 1] & 1 == 1)
            let parts = Array(table[index + 2..<index + 2 + count])
            decomposed[scalar] = parts
            if isExcluded {
                unstable.insert(scalar)
            } else {
                byDecomposition[parts] = scalar
                composable.append((scalar, parts))
            }
            index += 2 + count
        }
        for (scalar, parts) in composable {
            let head = parts.dropLast()
            let first = head.count == 1 ? head[0] : byDecomposition[Array(head)]
            guard let first else { preconditionFailure("the composition of \(scalar) has no first part") }
            composed[CanonicalComposition.key(first, parts.last!)] = scalar
            unstable.insert(parts.last!)
        }
    }

    /// Whether a text without such scalars is composed already.
    func isUnstable(_ scalar: UInt32) -> Bool {
        if scalar < 0x300 { return false }
        return unstable.contains(scalar) || 0x1161...0x1175 ~= scalar || 0x11A8...0x11C2 ~= scalar
    }

    func combiningClass(_ scalar: UInt32) -> UInt8 { scalar < 0x300 ? 0 : classes[scalar] ?? 0 }

    /// The full canonical decomposition.
    func decompose(_ scalar: UInt32, _ body: (UInt32) -> Void) {
        if 0xAC00...0xD7A3 ~= scalar {
            let index = scalar - 0xAC00
            body(0x1100 + index / 588)
            body(0x1161 + index % 588 / 28)
            if index % 28 != 0 { body(0x11A7 + index % 28) }
        } else if scalar >= 0xC0, let parts = decomposed[scalar] {
            for part in parts { body(part) }
        } else {
            body(scalar)
        }
    }

    /// The scalar that two compose to.
    func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if 0x1100...0x1112 ~= first, 0x1161...0x1175 ~= second {
            return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28
        }
        if 0xAC00...0xD7A3 ~= first, (first - 0xAC00) % 28 == 0, 0x11A8...0x11C2 ~= second {
            return first + second - 0x11A7
        }
        return composed[CanonicalComposition.key(first, second)]
    }

    private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 32 | UInt64(second) }
}
