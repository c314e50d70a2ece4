/// A stage's name taken apart: `krsl[alpha=1,beta=0.5]` is the variant of the family `krsl` with those values.
///
/// A stage without a matrix is a family of one, without axes.
public struct StageName: Hashable, Sendable, CustomStringConvertible {
    /// One axis of a matrix and this variant's value on it.
    public struct Coordinate: Hashable, Sendable {
        public let axis: String
        /// The value in canonical text.
        public let value: String

        public init(axis: String, value: String) {
            self.axis = axis
            self.value = value
        }
    }

    public let family: String
    /// In the order of the matrix.
    public let coordinates: [Coordinate]

    public init(family: String, coordinates: [Coordinate] = []) {
        self.family = family
        self.coordinates = coordinates
    }

    /// Takes a name apart, or nil when it is not well-formed: a family of letters, digits, `-` and `_`, then perhaps
    /// `[axis=value,…]` with values of letters, digits and `-_.+/`.
    public init?(_ name: String) {
        let bytes = Array(name.utf8)
        guard let bracket = bytes.firstIndex(of: UInt8(ascii: "[")) else {
            guard StageName.isWord(name) else { return nil }
            self.init(family: name)
            return
        }
        let family = String(decoding: bytes[..<bracket], as: UTF8.self)
        guard StageName.isWord(family), bytes.last == UInt8(ascii: "]") else { return nil }
        var coordinates: [Coordinate] = []
        let inner = bytes[(bracket + 1)..<(bytes.count - 1)]
        for part in inner.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { return nil }
            let axis = String(decoding: sides[0], as: UTF8.self)
            let value = String(decoding: sides[1], as: UTF8.self)
            guard StageName.isWord(axis), StageName.isValue(value) else { return nil }
            coordinates.append(Coordinate(axis: axis, value: value))
        }
        self.init(family: family, coordinates: coordinates)
    }

    public var description: String { family + StageName.suffix(coordinates) }

    /// `[alpha=1,beta=0.5]`, or nothing without coordinates.
    public static func suffix(_ coordinates: [Coordinate]) -> String {
        coordinates.isEmpty ? "" : "[" + coordinates.map { "\($0.axis)=\($0.value)" }.joined(separator: ",") + "]"
    }

    /// The rule for names of pipelines, stages, parameters and axes: ASCII letters, digits, `-` and `_`, at least one.
    public static func isWord(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// The rule for the text of a matrix value.
    public static func isValue(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isLetterOrDigit($0) || "-_.+/".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
