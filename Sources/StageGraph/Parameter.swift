import CanonicalJSON

/// One parameter of a stage type: its name in the pipeline file, the values it takes, and whether it decides results.
public struct Parameter: Sendable {
    /// The values a parameter takes.
    public indirect enum Kind: Sendable {
        case boolean
        case integer(ClosedRange<Int>)
        /// A finite number; an integer literal counts.
        case number(ClosedRange<Double>)
        case string
        case choice([String])
        case list(Kind)
        /// Any keys, values of one kind.
        case dictionary(Kind)
        case object([Parameter])
        /// An object whose member `tag` selects the other members.
        case variant(tag: String, cases: [(name: String, parameters: [Parameter])])
        /// A path to a file, relative to the pipeline file. Its content, not its path, is part of the action key.
        case file
        /// A path to a directory, relative to the pipeline file; keyed like ``file``.
        case directory
        /// A path to a file, relative to the pipeline file, that is opened by whoever needs it. Neither path nor content
        /// is part of the action key; the value is the path to open.
        case localPath
        /// Any value that JSON can express.
        case any
    }

    public let name: String
    public let kind: Kind
    /// Nil when the parameter must be given. `.null` when leaving it out means "none".
    public let defaultValue: JSON?
    /// False for what never changes a result, such as time-outs: then it is no part of the action key.
    public let isKeyed: Bool
    public let summary: String

    public init(
        _ name: String, _ kind: Kind, default defaultValue: JSON? = nil, isKeyed: Bool = true, _ summary: String
    ) {
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.isKeyed = isKeyed
        self.summary = summary
    }

    public var isRequired: Bool { defaultValue == nil }
}

extension Parameter.Kind {
    public static var positiveInteger: Self { .integer(1...Int.max) }
    public static var nonNegativeInteger: Self { .integer(0...Int.max) }
    public static var anyInteger: Self { .integer(Int.min...Int.max) }
    public static var fraction: Self { .number(0...1) }
    public static var nonNegativeNumber: Self { .number(0...Double.greatestFiniteMagnitude) }
    public static var positiveNumber: Self { .number(Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude) }

    /// The values in the words of error messages: "an integer of at least 1".
    public var expectation: String {
        switch self {
        case .boolean: "true or false"
        case .integer(let range): "an integer\(bounds(range, Int.min, Int.max))"
        case .number(let range):
            range.lowerBound == .leastNonzeroMagnitude
                ? "a number above 0"
                : "a number\(bounds(range, -Double.greatestFiniteMagnitude, .greatestFiniteMagnitude))"
        case .string: "a string"
        case .choice(let names): "one of \(names.joined(separator: ", "))"
        case .list(let kind): "a list, each element \(kind.expectation)"
        case .dictionary(let kind): "a mapping, each value \(kind.expectation)"
        case .object: "a mapping"
        case .variant(let tag, let cases):
            "a mapping with \"\(tag)\" one of \(cases.map(\.name).joined(separator: ", "))"
        case .file: "the path of a file"
        case .directory: "the path of a directory"
        case .localPath: "the path of a file"
        case .any: "any value"
        }
    }
}

private func bounds<Number: Comparable>(_ range: ClosedRange<Number>, _ low: Number, _ high: Number) -> String {
    switch (range.lowerBound == low, range.upperBound == high) {
    case (true, true): ""
    case (false, true): " of at least \(range.lowerBound)"
    case (true, false): " of at most \(range.upperBound)"
    case (false, false): " from \(range.lowerBound) to \(range.upperBound)"
    }
}
