extension AlignmentMethod {
    /// Every way to compare two rationales, the default first.
    public static let all: [AlignmentMethod] = [
        AlignmentMethod(), AlignmentMethod(widensToWords: true), AlignmentMethod(granularity: .words),
        AlignmentMethod(granularity: .steps), AlignmentMethod(mode: .reference),
        AlignmentMethod(mode: .reference, granularity: .words), AlignmentMethod(mode: .reference, granularity: .steps),
    ]

    /// Such as `minimal tokens`, `minimal tokens, widened` or `reference words`.
    public var name: String { "\(mode.rawValue) \(granularity.rawValue)\(widensToWords ? ", widened" : "")" }
}
